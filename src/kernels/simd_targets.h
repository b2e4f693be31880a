// Which instruction sets the kernels are compiled for; to be included before any header
// of Highway, so that every kernel file agrees.
#ifndef AIO_KERNELS_SIMD_TARGETS_H_
#define AIO_KERNELS_SIMD_TARGETS_H_

// Scalar too, on every architecture: it is what the others are tested against. Highway's
// 128-bit emulation would take its place with some compilers; we want the plain one.
#define HWY_COMPILE_ALL_ATTAINABLE
#define HWY_BROKEN_EMU128 1

// SSSE3 adds compile time for machines nobody serves models with. The kernels keep
// accumulators in arrays of vectors, which the sizeless vectors of SVE and RVV forbid:
// ARM uses NEON.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

#endif  // AIO_KERNELS_SIMD_TARGETS_H_

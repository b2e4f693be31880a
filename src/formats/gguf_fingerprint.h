// Tells a model from all others, cheaply.
#ifndef AIO_FORMATS_GGUF_FINGERPRINT_H_
#define AIO_FORMATS_GGUF_FINGERPRINT_H_

#include <string>

namespace aio {

class GgufFile;

// SHA-256 in hexadecimal over all metadata, every tensor's name, type and shape, and bytes of
// every tensor: small ones whole, of larger ones a few pages spread evenly, so that a file of
// many gigabytes takes some milliseconds. Trained weights differ everywhere, so another training
// or quantisation is another fingerprint; bytes changed by hand between the pages are not seen.
std::string GgufFingerprint(const GgufFile& file);

}  // namespace aio

#endif  // AIO_FORMATS_GGUF_FINGERPRINT_H_

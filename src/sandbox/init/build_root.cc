#include "sandbox/init/build_root.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "sandbox/init/report.h"

namespace aio {
namespace {

constexpr uint32_t kMaxMounts = 64;
constexpr int kMaxInodes = 4096;  // files and folders in the private folder

// Where the new root is mounted before it becomes "/": a folder that every system has. What it
// hides is open by then.
constexpr char kMountPoint[] = "/usr";

struct Mount {
  const char* path = nullptr;
  int fd = -1;  // a mount of its own, not yet anywhere
  bool folder = false;
};

struct Mounts {
  Mount all[kMaxMounts];
  uint32_t count = 0;
};

// Opens `path` with all that is mounted below as mounts of their own, and takes from these the
// right to write, to change users and, for all but devices, to be devices.
bool CloneReadOnly(const SandboxPlan& plan, const char* path, Mount& mount) {
  struct stat info = {};
  if (stat(path, &info) != 0) Fail("find", path);
  mount.path = path;
  mount.folder = S_ISDIR(info.st_mode);
  mount.fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  if (mount.fd < 0) {
    Refuse(plan, Protection::kMountNamespace, "clone the mount of", path);
    return false;
  }
  struct mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;
  if (!S_ISCHR(info.st_mode)) attributes.attr_set |= MOUNT_ATTR_NODEV;
  if (mount_setattr(mount.fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof(attributes)) !=
      0) {
    Refuse(plan, Protection::kMountNamespace, "make read-only", path);
    return false;
  }
  return true;
}

// All that may be refused, before anything is changed.
bool CloneAll(const PlanView& view, Mounts& mounts) {
  const SandboxPlan& plan = *view.plan;
  // What is mounted here stays here.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    Refuse(plan, Protection::kMountNamespace, "make mounts private");
    return false;
  }
  if (plan.read_only_count > kMaxMounts) {
    errno = E2BIG;
    Fail("mount so many folders");
  }
  const char* path = view.read_only;
  for (; mounts.count < plan.read_only_count; ++mounts.count, path = NextString(path)) {
    if (!CloneReadOnly(plan, path, mounts.all[mounts.count])) return false;
  }
  if (mount("tmpfs", kMountPoint, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=64m") != 0) {
    Refuse(plan, Protection::kMountNamespace, "mount a root in memory");
    return false;
  }
  return true;
}

// Makes the folders above `path`, which begins with '/', in `root`.
void MakeParents(int root, const char* path) {
  char parent[4096];
  for (const char* slash = strchr(path + 1, '/'); slash != nullptr;
       slash = strchr(slash + 1, '/')) {
    snprintf(parent, sizeof(parent), "%.*s", static_cast<int>(slash - path - 1), path + 1);
    if (mkdirat(root, parent, 0755) != 0 && errno != EEXIST) Fail("make the folder", parent);
  }
}

void Attach(int root, const Mount& mount) {
  MakeParents(root, mount.path);
  const char* target = mount.path + 1;
  if (mount.folder) {
    if (mkdirat(root, target, 0755) != 0 && errno != EEXIST) Fail("make the folder", target);
  } else {
    const int file = openat(root, target, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    if (file < 0) Fail("make the file", target);
    close(file);
  }
  if (move_mount(mount.fd, "", root, target, MOVE_MOUNT_F_EMPTY_PATH) != 0) {
    Fail("mount", mount.path);
  }
  close(mount.fd);
}

void MakeLinks(const PlanView& view, int root) {
  const char* path = view.links;
  for (uint32_t i = 0; i < view.plan->link_count; ++i) {
    const char* target = NextString(path);
    MakeParents(root, path);
    if (symlinkat(target, root, path + 1) != 0 && errno != EEXIST) Fail("link", path);
    path = NextString(target);
  }
}

void WriteProgram(const PlanView& view, int root) {
  const int file = openat(root, kProgramPath + 1, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  if (file < 0) Fail("make", kProgramPath);
  for (uint64_t done = 0; done < view.plan->program_bytes;) {
    const ssize_t n = write(file, view.program + done, view.plan->program_bytes - done);
    if (n <= 0) Fail("write", kProgramPath);
    done += static_cast<uint64_t>(n);
  }
  close(file);
}

// In the current folder, which is the new root. Any user may write, as the program's user may not
// be one whom this user namespace knows.
void MountPrivateFolder(const SandboxPlan& plan) {
  char options[96];
  snprintf(options, sizeof(options), "mode=1777,size=%llu,nr_inodes=%d",
           static_cast<unsigned long long>(plan.file_bytes), kMaxInodes);
  if (mkdir(kPrivateFolder + 1, 0755) != 0) Fail("make", kPrivateFolder);
  if (mount("tmpfs", kPrivateFolder + 1, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) != 0) {
    Fail("mount", kPrivateFolder);
  }
}

void MoveInto(int root) {
  // With both arguments the same folder, the old root ends up mounted over the new one, from
  // where it is taken off: no folder for it is needed.
  if (syscall(SYS_pivot_root, ".", ".") != 0) Fail("change the root");
  if (umount2(".", MNT_DETACH) != 0) Fail("leave the old root");
  if (chdir("/") != 0) Fail("enter the new root");
  struct mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  if (mount_setattr(root, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) != 0) {
    Fail("make the root read-only");
  }
}

}  // namespace

bool BuildRoot(const PlanView& view) {
  Mounts mounts;
  if (!CloneAll(view, mounts)) return false;
  const int root = open(kMountPoint, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0 || fchdir(root) != 0) Fail("open the new root");
  for (uint32_t i = 0; i < mounts.count; ++i) Attach(root, mounts.all[i]);
  MakeLinks(view, root);
  WriteProgram(view, root);
  MountPrivateFolder(*view.plan);
  MoveInto(root);
  close(root);
  return true;
}

}  // namespace aio

/// Limits of control groups, in trees of files like those of systems of both versions, containers among them.

#include "runtime/Groups.h"
#include "Check.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

using namespace quern::runtime;
using quern::test::Checks;

namespace {

using Files = std::map<std::string, std::string>;

/// A tree of files in a folder of its own.
class Tree {
public:
  explicit Tree(const std::string &parent) : parent(parent) {}
  Groups read(const Files &files) {
    std::string root = parent + "/" + std::to_string(++count);
    for (const auto &[path, content] : files) {
      std::filesystem::create_directories(std::filesystem::path(root + path).parent_path());
      std::ofstream(root + path) << content;
    }
    return Groups(root);
  }

private:
  std::string parent;
  int count = 0;
};

const std::string unified = "30 1 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
const std::string separate = "31 1 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
                             "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpuacct,cpu\n"
                             "35 31 0:32 / /sys/fs/cgroup/memory rw shared:9 master:1 - cgroup cgroup rw,memory\n";

void testNone(Checks &checks, Tree &tree) {
  for (const Files &files :
       {Files{}, Files{{"/proc/self/cgroup", "0::/\n"}},
        Files{{"/proc/self/cgroup", "0::/a\n"}, {"/proc/self/mountinfo", unified}},
        Files{{"/proc/self/cgroup", "rubbish\n:::\n\n0"}, {"/proc/self/mountinfo", " - \n- - -"}}}) {
    Groups groups = tree.read(files);
    checks.that(!groups.getFreeMemory());
    checks.that(!groups.getCpus());
  }
}

void testUnified(Checks &checks, Tree &tree) {
  Files files = {{"/proc/self/cgroup", "0::/user.slice/my app.scope\n"},
                 {"/proc/self/mountinfo", unified},
                 {"/sys/fs/cgroup/user.slice/my app.scope/memory.max", "max\n"},
                 {"/sys/fs/cgroup/user.slice/my app.scope/memory.high", "max\n"},
                 {"/sys/fs/cgroup/user.slice/my app.scope/memory.current", "300\n"},
                 {"/sys/fs/cgroup/user.slice/my app.scope/cpu.max", "max 100000\n"}};
  Groups none = tree.read(files);
  checks.that(!none.getFreeMemory() && !none.getCpus());

  // The parent counts, with what it holds of files: 1000 - (600 - 50 - 150).
  files["/sys/fs/cgroup/user.slice/memory.max"] = "1000\n";
  files["/sys/fs/cgroup/user.slice/memory.current"] = "600\n";
  files["/sys/fs/cgroup/user.slice/memory.stat"] = "anon 400\nfile 200\nactive_file 50\ninactive_file 150\n";
  files["/sys/fs/cgroup/user.slice/cpu.max"] = "150000 100000\n";
  Groups parent = tree.read(files);
  checks.equal(parent.getFreeMemory().value_or(0), 600u);
  checks.equal(parent.getCpus().value_or(0), 2u);

  // What slows a process down limits it, too; the tightest of all counts.
  files["/sys/fs/cgroup/user.slice/my app.scope/memory.high"] = "500\n";
  files["/sys/fs/cgroup/user.slice/my app.scope/cpu.max"] = "1000 100000\n";
  Groups own = tree.read(files);
  checks.equal(own.getFreeMemory().value_or(0), 200u);
  checks.equal(own.getCpus().value_or(0), 1u);

  // More in use than allowed.
  files["/sys/fs/cgroup/user.slice/my app.scope/memory.max"] = "100\n";
  checks.equal(tree.read(files).getFreeMemory().value_or(7), 0u);
}

void testSeparate(Checks &checks, Tree &tree) {
  Files files = {{"/proc/self/cgroup", "9:name=systemd:/\n4:memory:/batch/job:7\n1:cpuacct,cpu:/batch\n0::/\n"},
                 {"/proc/self/mountinfo", separate},
                 {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"},
                 {"/sys/fs/cgroup/memory/batch/memory.limit_in_bytes", "5000\n"},
                 {"/sys/fs/cgroup/memory/batch/memory.usage_in_bytes", "4100\n"},
                 {"/sys/fs/cgroup/memory/batch/memory.stat", "inactive_file 7\ntotal_inactive_file 100\n"},
                 {"/sys/fs/cgroup/memory/batch/job:7/memory.limit_in_bytes", "4000\n"},
                 {"/sys/fs/cgroup/memory/batch/job:7/memory.usage_in_bytes", "900\n"},
                 {"/sys/fs/cgroup/cpu,cpuacct/batch/cpu.cfs_quota_us", "300001\n"},
                 {"/sys/fs/cgroup/cpu,cpuacct/batch/cpu.cfs_period_us", "100000\n"},
                 {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n"},
                 {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"}};
  Groups groups = tree.read(files);
  checks.equal(groups.getFreeMemory().value_or(0), 1000u);
  checks.equal(groups.getCpus().value_or(0), 4u);
  files["/sys/fs/cgroup/memory/batch/job:7/memory.limit_in_bytes"] = "9223372036854771712\n";
  files["/sys/fs/cgroup/memory/batch/memory.limit_in_bytes"] = "9223372036854771712\n";
  checks.that(!tree.read(files).getFreeMemory());
}

/// A container sees its group at the mount's place: as the root of its own namespace,
/// or mounted from the system's tree.
void testContainers(Checks &checks, Tree &tree) {
  Files files = {{"/proc/self/cgroup", "0::/\n"},
                 {"/proc/self/mountinfo", unified},
                 {"/sys/fs/cgroup/memory.max", "1000\n"},
                 {"/sys/fs/cgroup/memory.current", "1\n"},
                 {"/sys/fs/cgroup/cpu.max", "200000 100000\n"}};
  checks.equal(tree.read(files).getFreeMemory().value_or(0), 999u);
  checks.equal(tree.read(files).getCpus().value_or(0), 2u);

  // The mount's root is the group's parent, or the group; escapes in its names.
  files["/proc/self/cgroup"] = "0::/pods/my pod/inner\n";
  files["/proc/self/mountinfo"] = "30 1 0:26 /pods/my\\040pod /mnt/my\\040groups rw - cgroup2 cgroup2 rw\n";
  files["/mnt/my groups/memory.max"] = "700\n";
  files["/mnt/my groups/inner/memory.max"] = "800\n";
  checks.equal(tree.read(files).getFreeMemory().value_or(0), 700u);
  files["/proc/self/cgroup"] = "0::/pods/my pod\n";
  checks.equal(tree.read(files).getFreeMemory().value_or(0), 700u);
  // A path that the mount does not show.
  files["/proc/self/cgroup"] = "0::/../other\n";
  checks.equal(tree.read(files).getFreeMemory().value_or(0), 700u);

  // Of two mounts, the one that shows the group; both versions at once.
  files["/proc/self/cgroup"] = "4:memory:/a/b\n0::/pods/my pod\n";
  files["/proc/self/mountinfo"] += "40 1 0:30 /other /mnt/other rw - cgroup cgroup rw,memory\n"
                                   "41 1 0:30 /a /mnt/a rw - cgroup cgroup rw,memory\n";
  files["/mnt/other/memory.limit_in_bytes"] = "5\n";
  files["/mnt/a/b/memory.limit_in_bytes"] = "600\n";
  checks.equal(tree.read(files).getFreeMemory().value_or(0), 600u);
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  Checks checks;
  Tree tree(argv[1]);
  testNone(checks, tree);
  testUnified(checks, tree);
  testSeparate(checks, tree);
  testContainers(checks, tree);
  return checks.status();
}

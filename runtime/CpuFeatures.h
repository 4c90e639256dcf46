//===- CpuFeatures.h - what this machine's CPU can do ------------------------------------------===//

#ifndef QUERN_RUNTIME_CPUFEATURES_H
#define QUERN_RUNTIME_CPUFEATURES_H

#include <string_view>

namespace quern::runtime {

/// Whether the CPU has a feature, by the name Linux gives it in /proc/cpuinfo, and the system lets programs use it. A
/// name that the table lacks is a feature that the CPU lacks.
bool hasCpuFeature(std::string_view name);

/// The features of the table, for tests.
unsigned countKnownCpuFeatures();
std::string_view getKnownCpuFeature(unsigned index);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_CPUFEATURES_H

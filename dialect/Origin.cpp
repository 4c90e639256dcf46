//===- Origin.cpp - where in the model text an op comes from ----------------------------------===//

#include "dialect/Origin.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;

namespace quern {

FileLineColLoc getModelPlace(ArrayRef<FileLineColLoc> stack) {
  for (FileLineColLoc place : stack)
    if (!place.getFilename().getValue().starts_with("std/"))
      return place;
  return stack.front();
}

Location inlineAt(Location place, StringRef instance, LocationAttr caller) {
  if (!instance.empty())
    place = NameLoc::get(StringAttr::get(place.getContext(), instance), place);
  return caller ? Location(CallSiteLoc::get(place, Location(caller))) : place;
}

Location nameOp(Location location, StringRef op) {
  return FusedLoc::get(location.getContext(), {location}, StringAttr::get(location.getContext(), op));
}

/// What `location`, none of several, says.
static Origin getOrigin(LocationAttr location, StringRef op) {
  Origin origin = {op, "", {}};
  while (location) {
    auto call = dyn_cast<CallSiteLoc>(location);
    LocationAttr place = call ? LocationAttr(call.getCallee()) : location;
    location = call ? LocationAttr(call.getCaller()) : LocationAttr();
    if (auto named = dyn_cast<NameLoc>(place)) {
      if (origin.stack.empty())
        origin.instance = named.getName().getValue();
      place = named.getChildLoc();
    }
    if (auto inFile = dyn_cast<FileLineColLoc>(place))
      origin.stack.push_back(inFile);
  }
  return origin;
}

SmallVector<Origin> getOrigins(Location location) {
  SmallVector<Origin> origins;
  // The next to look at is the last; each with the op that its surroundings name.
  SmallVector<std::pair<LocationAttr, StringRef>> rest = {{location, ""}};
  while (!rest.empty()) {
    auto [next, op] = rest.pop_back_val();
    auto fused = dyn_cast<FusedLoc>(next);
    if (!fused) {
      Origin origin = getOrigin(next, op);
      if (!origin.stack.empty())
        origins.push_back(std::move(origin));
      continue;
    }
    auto name = dyn_cast_or_null<StringAttr>(fused.getMetadata());
    for (Location part : llvm::reverse(fused.getLocations()))
      rest.push_back({part, name ? name.getValue() : op});
  }
  return origins;
}

} // namespace quern

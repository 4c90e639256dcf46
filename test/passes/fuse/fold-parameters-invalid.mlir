// RUN: quern-opt %s --quern-fold-parameters=growth=0 --verify-diagnostics

// expected-error@below {{option `growth` is 0, expected at least 1}}
module {}

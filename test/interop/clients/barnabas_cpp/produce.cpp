#include "driver.h"

namespace driver {

void create(const Json&) {
  fail("this driver does not create topics yet");
}

void produce(const Json&) {
  fail("this driver does not produce yet");
}

}  // namespace driver

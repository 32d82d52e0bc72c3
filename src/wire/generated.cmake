# The messages, generated from schema/ when CMake configures; a change of the schema or the generator configures again.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
file(GLOB_RECURSE wire_schema CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/schema/*.msg)
file(GLOB wire_generator CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/generator/*.py)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${wire_schema} ${wire_generator})
execute_process(
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/generator/generate.py --schema ${CMAKE_SOURCE_DIR}/schema
          --out ${CMAKE_BINARY_DIR}/generated
  COMMAND_ERROR_IS_FATAL ANY)
file(GLOB_RECURSE wire_generated ${CMAKE_BINARY_DIR}/generated/wire/*.cpp)
list(APPEND sources ${wire_generated})

# Random values for every message, for tests, fuzzing and the proof against Kafka's own classes.
file(GLOB wire_samples ${CMAKE_BINARY_DIR}/generated/wire_testing/*.cpp)
add_library(barnabas_wire_testing STATIC EXCLUDE_FROM_ALL ${wire_samples})
target_link_libraries(barnabas_wire_testing PUBLIC barnabas_wire)
if(BARNABAS_TESTS)
  cmake_language(DEFER CALL target_link_libraries wire_test PRIVATE barnabas_wire_testing)
  add_test(NAME generator COMMAND ${Python3_EXECUTABLE} -B -m unittest discover -s ${CMAKE_SOURCE_DIR}/tools/generator -p "*_test.py")
  add_test(NAME protocol_docs COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tools/generator/generate.py
           --schema ${CMAKE_SOURCE_DIR}/schema --docs ${CMAKE_SOURCE_DIR}/docs/protocol.md --check)
endif()

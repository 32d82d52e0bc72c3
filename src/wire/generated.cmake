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

# The key tables, out of schema/config/*.cfg.
find_program(BARNABAS_PYTHON python3 REQUIRED)
file(GLOB config_schema CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/schema/config/*.cfg)
set(config_tables ${CMAKE_BINARY_DIR}/generated/config/tables_generated.cpp)
add_custom_command(
  OUTPUT ${config_tables}
  COMMAND ${BARNABAS_PYTHON} ${CMAKE_SOURCE_DIR}/tools/generator/config_tables.py ${CMAKE_SOURCE_DIR}/schema/config
          ${config_tables}
  DEPENDS ${config_schema} ${CMAKE_SOURCE_DIR}/tools/generator/config_tables.py
  VERBATIM)
list(APPEND sources ${config_tables})

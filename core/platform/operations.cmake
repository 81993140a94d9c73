# The operation documents become one C file, which belongs to the room.
file(GLOB operations CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/operations/*.graphql)
set(operations_c ${CMAKE_CURRENT_BINARY_DIR}/platform/operations_text.c)
add_custom_command(OUTPUT ${operations_c}
    COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/cmake/embed.py ${operations_c} operation_text_
        ${operations}
    DEPENDS ${operations} ${PROJECT_SOURCE_DIR}/cmake/embed.py)
target_sources(room_platform PRIVATE ${operations_c})

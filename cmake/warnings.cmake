# One interface target that every target of this tree links: the warnings, and the sanitizers of the preset.
add_library(gantry_flags INTERFACE)
target_compile_options(gantry_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wswitch-enum -Wmissing-prototypes
    -Wformat=2 -Wvla -Wstrict-prototypes -Wundef -Wpointer-arith -Wwrite-strings
    -Wno-missing-field-initializers
    -fno-omit-frame-pointer)
if(CMAKE_C_COMPILER_ID MATCHES "Clang")
    target_compile_options(gantry_flags INTERFACE -Wno-gnu-zero-variadic-macro-arguments) # gcc says nothing of it
endif()
target_compile_definitions(gantry_flags INTERFACE _GNU_SOURCE)
if(GANTRY_WERROR)
    target_compile_options(gantry_flags INTERFACE -Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo" OR CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(gantry_flags INTERFACE -fstack-protector-strong -D_FORTIFY_SOURCE=2)
    target_link_options(gantry_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
if(GANTRY_SANITIZE)
    target_compile_options(gantry_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all)
    target_link_options(gantry_flags INTERFACE -fsanitize=address,undefined)
endif()
if(GANTRY_TSAN)
    target_compile_options(gantry_flags INTERFACE -fsanitize=thread)
    target_link_options(gantry_flags INTERFACE -fsanitize=thread)
endif()

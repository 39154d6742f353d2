# One set of flags for the whole house.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror)

# Results must not depend on what the compiler fuses: no contraction outside the kernels, never -ffast-math.
# The two -fno switches only drop errno and trap semantics that nobody reads; values are untouched.
add_compile_options(-ffp-contract=off -fno-math-errno -fno-trapping-math)

# The fixed x86 baseline is AVX2 + FMA (x86-64-v3); oneDNN dispatches above it at start.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_compile_options(-march=x86-64-v3)
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  set(CMAKE_CXX_FLAGS_RELEASE "-O3")  # asserts stay on: they are for our own mistakes
endif()
if(ANYBIT_SANITIZE)
  add_compile_options(-fsanitize=${ANYBIT_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ANYBIT_SANITIZE})
  if(ANYBIT_SANITIZE MATCHES "address")
    add_compile_options(-Wno-maybe-uninitialized)  # g++ 12 complains of std::regex's own members (GCC bug 105616)
  endif()
  if(ANYBIT_SANITIZE MATCHES "thread")
    add_compile_options(-Wno-tsan)
    add_compile_definitions(ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()
add_compile_definitions(ASIO_STANDALONE ASIO_NO_DEPRECATED)

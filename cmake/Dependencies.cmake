# Every third-party library and the oldest version we build with. Nothing is downloaded: all of
# these are Debian 12 packages (`./dev` installs them).
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(absl REQUIRED) # 20220623
find_package(Boost 1.81 REQUIRED)
find_package(simdjson REQUIRED) # 3.0; its config refuses every other minor version
find_package(prometheus-cpp REQUIRED COMPONENTS core) # 1.0; its config states no version
find_package(Protobuf 3.21 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
pkg_check_modules(rdkafka REQUIRED IMPORTED_TARGET GLOBAL "rdkafka>=2.0.2")
pkg_check_modules(libpq REQUIRED IMPORTED_TARGET GLOBAL "libpq>=15")
pkg_check_modules(libcrypto REQUIRED IMPORTED_TARGET GLOBAL "libcrypto>=3.0")
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET GLOBAL "re2") # 2022-06-01; its .pc states no version
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET GLOBAL "libxxhash>=0.8.1")
if(CARACAL_BUILD_TESTS)
  find_package(GTest 1.12 REQUIRED)
endif()
if(CARACAL_BUILD_BENCHMARKS)
  find_package(benchmark 1.7 REQUIRED)
endif()

// Boost.JSON without its library: its sources, once per binary.
#include <boost/json/src.hpp>

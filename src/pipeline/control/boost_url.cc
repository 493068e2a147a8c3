// Boost.URL without its library: its sources, once per program.
#include <boost/url/src.hpp>

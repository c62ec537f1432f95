/* vcruntime140.dll: block and search routines. Exceptions and unwinding are elsewhere. */
#include "jump.h"
#include "search.h"

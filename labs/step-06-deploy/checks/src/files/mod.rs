//! Tasks 9 and 10: the image, how it is run, and how it is released.

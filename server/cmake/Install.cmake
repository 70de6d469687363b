# cmake --install BUILD --prefix PREFIX:
#
#   PREFIX/bin/                       hydrophone-server, hydrophone
#   PREFIX/lib/hydrophone/            libtorch, and what it needs that no package of the distribution holds
#   PREFIX/share/hydrophone/models/   the default model, where the installed server looks for it
#   PREFIX/share/doc/hydrophone/      the licence
#
# The programs find their libraries by their own place, so PREFIX may be moved as a whole.

set_target_properties(hydrophone-server hydrophone PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/hydrophone")
install(TARGETS hydrophone-server hydrophone RUNTIME_DEPENDENCY_SET hydrophone_libraries)
install(RUNTIME_DEPENDENCY_SET hydrophone_libraries
  POST_EXCLUDE_REGEXES "^/(usr/)?lib(64)?/"
  LIBRARY DESTINATION lib/hydrophone)
install(FILES LICENSE DESTINATION share/doc/hydrophone)

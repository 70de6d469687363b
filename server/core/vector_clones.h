// Loops that are compiled for several instruction sets, with the same results on all of them.
#ifndef HYDROPHONE_SERVER_CORE_VECTOR_CLONES_H_
#define HYDROPHONE_SERVER_CORE_VECTOR_CLONES_H_

// One binary serves all x86-64 machines: the loader picks the clone. Integer results are the same on all of them; float
// results are the same where a loop has only additions, multiplications and divisions without contraction. Builds with
// sanitizers get no clones: sanitizers do not work with the loader's early call of the resolver. A build with the
// thread sanitizer is known by _GLIBCXX_TSAN, since HydrophoneTargets.cmake takes __SANITIZE_THREAD__ away.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(_GLIBCXX_TSAN) && defined(__GNUC__) && \
    !defined(__clang__)
#define HYDROPHONE_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define HYDROPHONE_VECTOR_CLONES
#endif

// Of a function whose code is to become part of each clone or kernel that calls it.
#define HYDROPHONE_INLINE inline __attribute__((always_inline))

#endif  // HYDROPHONE_SERVER_CORE_VECTOR_CLONES_H_

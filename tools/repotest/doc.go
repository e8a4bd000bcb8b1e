// Package repotest holds the tests about the repository itself: which package
// may import which, what every file must look like, and what must never be
// committed. It has no code of its own.
package repotest

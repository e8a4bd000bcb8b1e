// Package repotest holds the tests about the repository itself that a linter cannot express: what the pages say about
// template and code, what workflows may do, and what must never be committed. It has no code of its own.
package repotest

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// memory reads a line of /proc/<pid>/status, in MB: VmRSS is what a process has in use, VmHWM the most that it had.
// It is 0 where there is no /proc.
func memory(pid int, name string) float64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // without it there is no such line
	_, line, _ := strings.Cut(string(status), "\n"+name)
	kilobytes := 0.0
	_, _ = fmt.Sscan(line, &kilobytes)
	return kilobytes / 1024
}

// peakMemoryOf returns the most that any process of these programs had, in MB; 0 when there is none.
func peakMemoryOf(programs ...string) (peak float64) {
	links, _ := filepath.Glob("/proc/[0-9]*/exe") // without /proc there are none
	for _, link := range links {
		if target, _ := os.Readlink(link); slices.Contains(programs, target) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(link))) // digits
			peak = max(peak, memory(pid, "VmHWM:"))
		}
	}
	return peak
}

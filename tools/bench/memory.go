package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// residentMemory is how much memory a process has in use, in MB, and peakMemory how much it had at most. They are 0 where
// there is no /proc.
func residentMemory(pid int) float64 { return memory(strconv.Itoa(pid), "VmRSS:") }
func peakMemory(pid int) float64     { return memory(strconv.Itoa(pid), "VmHWM:") }

// memory reads a line of /proc/<pid>/status, which counts in kB.
func memory(pid, name string) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%s/status", pid))
	if err != nil {
		return 0
	}
	_, line, _ := strings.Cut(string(status), "\n"+name)
	line, _, _ = strings.Cut(line, "kB")
	kilobytes, _ := strconv.ParseFloat(strings.TrimSpace(line), 64)
	return kilobytes / 1024
}

// peakMemoryOf is the most that any process of a program had, in MB; 0 when there is none.
func peakMemoryOf(program string) float64 {
	links, _ := filepath.Glob("/proc/[0-9]*/exe") // without /proc there are none
	peak := 0.0
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == program {
			peak = max(peak, memory(filepath.Base(filepath.Dir(link)), "VmHWM:"))
		}
	}
	return peak
}

import { readdirSync } from 'node:fs'
import type { Component } from './metric-table.ts'
import { type Sample, sample } from './sample.ts'

/** What this process is and uses, read when somebody asks. */
export function processSamples(component: Component, version: string): Sample[] {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  const descriptors = openDescriptors()
  return [
    sample('sluice_build_info', { component, version, node: process.versions.node }, 1),
    sample('process_start_time_seconds', {}, performance.timeOrigin / 1000),
    sample('process_cpu_seconds_total', {}, (user + system) / 1e6),
    sample('process_resident_memory_bytes', {}, rss),
    sample('nodejs_heap_size_used_bytes', {}, heapUsed),
    ...(descriptors === null ? [] : [sample('process_open_fds', {}, descriptors)]),
  ]
}

function openDescriptors(): number | null {
  try {
    // Reading the folder opens one more.
    return readdirSync('/proc/self/fd').length - 1
  } catch {
    return null // Only Linux has it.
  }
}

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { findProgram } from '../../scripts/testbed/programs.ts'
import { PM2_VERSION } from '../loss/pm2-install.ts'
import { lastCore } from './processes.ts'
import { programUnderTest } from './program.ts'
import type { Bench } from './row.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The commit, and `dirty` when the files are not exactly those of it. */
export function commitName(): string {
  const commit = wordsOf('git', ['rev-parse', '--short', 'HEAD']) ?? 'unknown'
  const changes = wordsOf('git', ['status', '--porcelain'])
  return changes === '' ? commit : `${commit} dirty`
}

/** Where the figures come from, one fact a line. */
export function machineLines(measures: Bench['measures']): string[] {
  if (measures === 'simulation')
    return [
      `Simulated with fixed seeds and Node ${process.versions.node}: every figure but the speed is the same on every machine.`,
      `The speed is that of one core of ${cpus()[0]?.model.trim() ?? 'an unknown machine'}, in CPU time.`,
    ]
  const core = lastCore()
  const what = measures === 'sources' ? 'the sources (src/)' : programUnderTest().text
  return [
    `Cores: ${availableParallelism()} x ${cpus()[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${process.arch}.`,
    `Load average when it began: ${loadavg()
      .map((value) => value.toFixed(2))
      .join(', ')}.`,
    `Node ${process.versions.node}; measured is ${what}.`,
    `Peers: ${peerVersions().join(', ')}.`,
    core === null
      ? 'No core is reserved: there is no taskset, or only one core.'
      : `Pinned by taskset: in wire and latency the proxy to core 0, in routers the router to core 0 (for the throughput with whoever takes its log), origin and load to core 1; in loss and verdict the load client to core ${core}; the rest runs where the kernel puts it.`,
  ]
}

function peerVersions(): string[] {
  return [
    versionOf('haproxy', ['-v'], /version ([\d.]+)/) ?? 'HAProxy is missing',
    versionOf('nginx', ['-v'], /nginx\/([\d.]+)/) ?? 'nginx is missing',
    versionOf('wrk', ['-v'], /wrk (?:debian\/)?([\d.]+\d)/) ?? 'wrk is missing',
    `httpxy ${packageVersion('httpxy')}`,
    `pm2 ${PM2_VERSION} (installed for the bench)`,
  ]
}

function versionOf(command: string, args: readonly string[], pattern: RegExp): string | null {
  const file = findProgram(command)
  if (file === null) return null
  const { stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' })
  return `${command} ${pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'of an unknown version'}`
}

function packageVersion(name: string): string {
  try {
    const file = join(root, 'node_modules', name, 'package.json')
    return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8'))).version
  } catch {
    return 'is missing'
  }
}

function wordsOf(command: string, args: readonly string[]): string | null {
  const { status, stdout } = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : null
}

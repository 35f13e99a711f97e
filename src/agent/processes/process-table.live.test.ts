import { spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { waitFor } from '../agent-fixture.ts'
import {
  allProcesses,
  findProcess,
  isAlive,
  readProc,
  startVariable,
  survivesSignal,
} from './process-table.ts'

describe.runIf(process.platform === 'linux')('the process table', () => {
  it('finds a process by pid and start time, and knows its environment and signals', () => {
    const self = findProcess(process.pid)
    expect(self).toMatchObject({ pid: process.pid, parent: process.ppid })
    expect(isAlive({ pid: process.pid, startTime: self?.startTime ?? '' })).toBe(true)
    expect(isAlive({ pid: process.pid, startTime: '1@x' })).toBe(false)
    expect(startVariable(process.pid, 'PATH')).toBeTruthy()
    expect(survivesSignal(process.pid, 10)).toBe(true)
    expect(survivesSignal(process.pid, 12)).toBe(false)
  })

  it('knows that a zombie is dead', async () => {
    // The shell becomes `sleep`, which never waits for the child that the shell had started.
    const parent = spawn('sh', ['-c', 'sleep 0.05 & echo $!; exec sleep 30'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let zombie = 0
    parent.stdout.once('data', (text) => {
      zombie = Number(String(text))
    })
    await waitFor(() => zombie > 0 && / Z /.test(readProc(`${zombie}/stat`) ?? ''))
    expect(findProcess(zombie)).toBeNull()
    expect(allProcesses().map(({ pid }) => pid)).not.toContain(zombie)
    parent.kill('SIGKILL')
  })
})

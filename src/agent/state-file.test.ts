import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { damagedContent } from '../testkit/damage.test.kit.ts'
import { AgentState, emptyState } from './agent-state.ts'
import { readState } from './state-file.ts'

const SOUND = {
  ...emptyState('boot-1'),
  tokens: { 'shop.local': { epoch: 3, sequence: 9, rollout: 'rollout-1' } },
}

let file = ''
beforeEach(() => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-agent-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  file = path.join(folder, 'agent.json')
})

it('takes a file that is whole, and refuses any other one without touching it', () => {
  const content = damagedContent(SOUND)
  fc.assert(
    fc.property(content, (text) => {
      writeFileSync(file, text)
      const read = readState(file, 'boot-1')
      if (read.kind === 'ok') expect(AgentState.parse(read.value)).toEqual(read.value)
      else expect(read.problem).toMatchObject({ code: 'AGENT_STATE_UNREADABLE' })
      expect(readFileSync(file, 'utf8')).toBe(text)
    }),
    { numRuns: 100 },
  )
})

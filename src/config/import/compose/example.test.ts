import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { projectFilesIn } from '../../init/project-files.ts'
import { loadConfig } from '../../load.ts'
import { proposeFromCompose } from './propose-compose.ts'
import { renderCompose } from './render-compose.ts'

const folder = fileURLToPath(new URL('../../../../examples/compose', import.meta.url))
const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8')

it('makes of examples/compose what stands there, but for what its README says was changed by hand', () => {
  const request = {
    file: 'compose.yaml',
    text: read('compose.yaml'),
    files: projectFilesIn(folder),
    artifact: '.',
  }
  const proposal = proposeFromCompose(request)
  if (proposal.kind === 'failed') throw new Error(proposal.problem.message)
  const kept = read('sluice.yaml').split('\n')
  const changed = renderCompose(proposal.value)
    .split('\n')
    .filter((line) => !kept.includes(line))
  expect(changed.map((line) => line.trim())).toEqual([
    'API_URL: "http://api:4000"',
    'listen: "127.0.0.1:8081"',
  ])
  for (const environment of ['local', 'staging', 'production'])
    expect(
      loadConfig({ file: path.join(folder, 'sluice.yaml'), text: read('sluice.yaml'), environment }).kind,
    ).toBe('ok')
})

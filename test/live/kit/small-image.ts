import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'

type SmallImage = { name: string; content: string; architecture: string }

/** An image with one file of a few bytes, as `docker save` writes it: made for any machine, fit to run on none. */
export function smallImage({ name, content, architecture }: SmallImage): Readable {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-image-'))
  const write = (file: string, text: string): void => writeFileSync(path.join(folder, file), text)
  const pack = (file: string, ...names: string[]): Buffer => {
    execFileSync('tar', ['--create', '--file', path.join(folder, file), '-C', folder, ...names])
    return readFileSync(path.join(folder, file))
  }
  try {
    write('content.txt', content)
    const layer = createHash('sha256').update(pack('layer.tar', 'content.txt')).digest('hex')
    const rootfs = { type: 'layers', diff_ids: [`sha256:${layer}`] }
    write('config.json', JSON.stringify({ architecture, os: 'linux', config: { Cmd: ['x'] }, rootfs }))
    write(
      'manifest.json',
      JSON.stringify([{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }]),
    )
    return Readable.from([pack('image.tar', 'manifest.json', 'config.json', 'layer.tar')])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

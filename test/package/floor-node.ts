import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'

/** What npm says when it installs a package, and how. */
export type Npm = (cwd: string, words: readonly string[]) => { status: number | null; stderr: string }
export type FloorNode = { kind: 'found'; folder: string } | { kind: 'missing'; why: string }

const Manifest = z.object({ engines: z.object({ node: z.string().regex(/^>=\d+\.\d+\.\d+$/) }) })

/** The oldest Node that package.json promises to run on: just that version, not one a little newer. */
export function floorVersion(): string {
  const manifest = fileURLToPath(new URL('../../package.json', import.meta.url))
  return Manifest.parse(JSON.parse(readFileSync(manifest, 'utf8'))).engines.node.slice('>='.length)
}

/** Puts that Node into a folder of its own, as the package that npm has of it for this platform. */
export function installFloorNode(npm: Npm, folder: string): FloorNode {
  const name = `node-${process.platform}-${process.arch}`
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const words = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
  const { status, stderr } = npm(folder, [...words, `${name}@${floorVersion()}`])
  return status === 0
    ? { kind: 'found', folder: join(folder, 'node_modules', name, 'bin') }
    : { kind: 'missing', why: `npm has no ${name} ${floorVersion()} here: ${stderr.trim().split('\n')[0]}` }
}

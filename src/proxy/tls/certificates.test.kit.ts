import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { TlsFiles } from '../../core/shared/entry.ts'

/** Node cannot make certificates. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0
export const WITHOUT_OPENSSL = 'openssl, which makes the certificates of these tests, is not on this machine'

type Wanted = { names: string[]; days?: number; passphrase?: string }

/** A self-signed certificate and its key in two files of the folder. */
export function makeCertificate(
  folder: string,
  name: string,
  { names, days = 90, passphrase }: Wanted,
): TlsFiles {
  mkdirSync(folder, { recursive: true })
  const files = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) }
  const list = names.map((one) => `${/^[0-9.:]+$/.test(one) ? 'IP' : 'DNS'}:${one}`).join(',')
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
      ...(passphrase === undefined ? ['-nodes'] : ['-passout', `pass:${passphrase}`]),
      ...['-keyout', files.key, '-out', files.certificate, '-days', `${days}`],
      ...['-subj', `/CN=${names[0]}`, '-addext', `subjectAltName=${list}`],
    ],
    { stdio: 'pipe' },
  )
  return files
}

/** Puts new files in the place of the old ones, one after the other, as renewals do. */
export function replaceCertificate(old: TlsFiles, by: TlsFiles): void {
  renameSync(by.certificate, old.certificate)
  renameSync(by.key, old.key)
}

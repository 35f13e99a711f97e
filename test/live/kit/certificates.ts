import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

type Signed = { cert: string; key: string }

/** An authority of one's own, as the documentation of Docker has it made by openssl. */
export type Authority = {
  /** Its certificate, PEM. */
  ca: string
  /** Answers with the paths of a new pair. `addresses`: those of a server; none for a client. */
  sign(name: string, options?: { addresses?: readonly string[]; days?: number }): Signed
}

export function makeAuthority(folder: string): Authority {
  mkdirSync(folder, { recursive: true })
  const at = (name: string): string => path.join(folder, name)
  const openssl = (...words: string[]): unknown => execFileSync('openssl', words, { stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const ca = at('ca.pem')
  openssl('req', '-x509', ...newKey, '-keyout', at('ca-key.pem'), '-out', ca, '-days', '2', '-subj', '/CN=ca')
  return {
    ca,
    sign: (name, { addresses = [], days = 2 } = {}) => {
      const [cert, key, asked, more] = [`${name}.pem`, `${name}-key.pem`, `${name}.csr`, `${name}.ext`].map(
        at,
      )
      if (cert === undefined || key === undefined || asked === undefined || more === undefined)
        throw new Error('four names make four paths')
      openssl('req', '-new', ...newKey, '-keyout', key, '-out', asked, '-subj', `/CN=${name}`)
      const names = addresses.map((one) => `IP:${one}`).join(',')
      const use = addresses.length === 0 ? 'clientAuth' : `serverAuth\nsubjectAltName=${names}`
      writeFileSync(more, `extendedKeyUsage=${use}\n`)
      const by = ['-CA', ca, '-CAkey', at('ca-key.pem'), '-CAcreateserial', '-extfile', more]
      openssl('x509', '-req', '-in', asked, ...by, '-out', cert, '-days', String(days))
      return { cert, key }
    },
  }
}

import { problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'

/** Short enough that names made from it stay below the 63 bytes that PostgreSQL allows. */
const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,39}$/

/** Where the server is. `name` is what people see: it never holds the password. */
export type Address = { url: string; schema: string; name: string; hide(text: string): string }

export function addressOf({ url, schema }: { url: string; schema: string }): Result<Address> {
  const parsed = URL.canParse(url) ? new URL(url) : null
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol) || parsed.pathname.length < 2)
    return failed(badAddress('It must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE.'))
  if (!SCHEMA_NAME.test(schema))
    return failed(
      badAddress(
        `The schema "${schema}" must be up to 40 small letters, digits and _, not beginning with a digit.`,
      ),
    )
  const user = parsed.username === '' ? '' : `${parsed.username}@`
  const host = parsed.host === '' ? (parsed.searchParams.get('host') ?? 'localhost') : parsed.host
  const secrets = secretsIn(parsed)
  return ok({
    url,
    schema,
    name: `postgresql://${user}${host}${parsed.pathname}`,
    hide: (text) => secrets.reduce((hidden, secret) => hidden.replaceAll(secret, '***'), text),
  })
}

/** As written and as meant. No message of the server is known to repeat a password; this makes sure. */
function secretsIn({ password, searchParams }: URL): string[] {
  const given = [password, searchParams.get('password') ?? '', searchParams.get('sslpassword') ?? '']
  return given.flatMap((secret) => [secret, decoded(secret)]).filter((secret) => secret !== '')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const badAddress = (cause: string) =>
  problem('STORE_BAD_ADDRESS', {
    message: `The address of the PostgreSQL store cannot be used. ${cause}`,
    remedy: 'Correct the address. Characters like @ and / in a password are written as %40 and %2F.',
  })

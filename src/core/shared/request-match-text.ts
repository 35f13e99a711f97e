import type { Participants, RequestMatch } from './side-routes.ts'

/** @example `header x-tester is "1"`, `cookie group fits "qa-*"` */
export const matchText = (match: RequestMatch): string =>
  match.kind === 'exact'
    ? `${match.in} ${match.name} is "${match.value}"`
    : match.pattern === '*'
      ? `${match.in} ${match.name} is there`
      : `${match.in} ${match.name} fits "${match.pattern}"`

/** @example `header x-country is "de" or "at", and cookie plan is there` */
export const participantsText = (where: Participants): string => where.map(groupText).join(', and ')

/** Of several values of one place the place is said once. */
function groupText(group: Participants[number]): string {
  const texts = group.map(matchText)
  const [first] = group
  const others = group.slice(1).flatMap((match) => (match.kind === 'exact' ? [`"${match.value}"`] : []))
  const isOnePlace = group.every(
    (match) => match.kind === 'exact' && match.in === first?.in && match.name === first.name,
  )
  return isOnePlace ? [texts[0] ?? '', ...others].join(' or ') : texts.join(' or ')
}

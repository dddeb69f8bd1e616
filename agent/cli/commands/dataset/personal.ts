import type { ProfiledTable } from '../../doors.ts'

type ProfiledColumn = ProfiledTable['columns'][number]

const PERSONS_NUMBER = 'a number of a person'
const OFFICIAL_NUMBER = 'an official number'

/**
 * Columns that often tell who somebody is, by their names: a reminder for the steward, no proof of the contrary. English and
 * Dutch, as the data at hand.
 */
const SIGNS: readonly (readonly [RegExp, string])[] = [
  [/^((first|last|sur|family|full|given|middle|maiden|user|voor|achter)[_ -]?)?(name|naam)$/i, 'a name'],
  [/^((tussen)?voegsels?|initials|voorletters|voornamen)$/i, 'a name'],
  [/e-?mail/i, 'a mail address'],
  [/phone|telefoon|mobile|mobiel|^tel$/i, 'a telephone number'],
  [/birth|geb(oorte)?[_ -]?(dat|jaar)|^dob$/i, 'a date of birth'],
  [/address|adres|street|straat|post(al)?[_ -]?code|zip[_ -]?code|^zip$|huisn/i, 'an address'],
  [/\bbsn\b|bsn$|burgerservice|\bssn\b|social[_ -]?sec|passport|paspoort|national[_ -]?id/i, OFFICIAL_NUMBER],
  [/iban|account[_ -]?(no|number|nr)|rekening/i, 'an account'],
  [/^(ip|ip[_ -]?addr(ess)?)$/i, 'a network address'],
  [
    /(persoons?|person|people|patient|client|employee|student|member|respondent|medewerker|uniek)[_ -]?(id|no|nr|num|number|nummer)$/i,
    PERSONS_NUMBER
  ],
  [
    /^(gender|sex|geslacht|race|ras|ethnic|religion|nationality|nationaliteit|diagnosis|health)/i,
    'a personal trait'
  ]
]

const SHAPES: Readonly<Record<NonNullable<ProfiledColumn['shape']>, string>> = {
  'mail address': 'a mail address',
  'account number': 'an account',
  'citizen service number': OFFICIAL_NUMBER,
  'telephone number': 'a telephone number',
  'network address': 'a network address',
  'postal code': 'an address',
  unique: 'something of one person alone: nearly every row has another value'
}

/** What a column may tell of a person, or nothing; what its values look like counts more than that all differ. */
export function personalSign({ name, shape }: Pick<ProfiledColumn, 'name' | 'shape'>): string | undefined {
  if (shape !== undefined && shape !== 'unique') return SHAPES[shape]
  const named = SIGNS.find(([pattern]) => pattern.test(name))?.[1]
  return named ?? (shape === undefined ? undefined : SHAPES[shape])
}

const IDENTIFIER = /(^|[_ -])(id|key|nr|no|number|nummer|code)$|[a-z](Id|ID|Nr|No|Key)$/

/**
 * The column that a table's rows are about, proposed: a person's number. `sure` when its name or its values say so; a column
 * that only tells rows apart may be an order's or a machine's.
 */
export function proposedSubject(
  columns: readonly ProfiledColumn[]
): { column: string; sure: boolean } | undefined {
  const signed = columns.find((column) => {
    const sign = personalSign(column)
    return sign === PERSONS_NUMBER || sign === OFFICIAL_NUMBER
  })
  if (signed !== undefined) return { column: signed.name, sure: true }
  const apart = columns.find(({ name, shape }) => shape === 'unique' && IDENTIFIER.test(name))
  return apart === undefined ? undefined : { column: apart.name, sure: false }
}

/**
 * Columns that often tell who somebody is, by their names alone: a reminder for the steward, no proof of the contrary.
 * English and Dutch, as the data at hand.
 */
const SIGNS: readonly (readonly [RegExp, string])[] = [
  [/^(first|last|sur|family|full|given|voor|achter)?_?na(me|am)$/i, 'a name'],
  [/e-?mail/i, 'a mail address'],
  [/phone|telefoon|mobile|^tel$/i, 'a telephone number'],
  [/birth|geb(oorte)?_?dat|^dob$/i, 'a date of birth'],
  [/address|adres|street|straat|post(al)?_?code|zip/i, 'an address'],
  [/\bbsn\b|burgerservice|ssn|social_?sec|passport|paspoort|national_?id/i, 'an official number'],
  [/iban|account_?(no|number|nr)|rekening/i, 'an account'],
  [/^(ip|ip_?addr(ess)?)$/i, 'a network address'],
  [/(person|patient|employee|student|medewerker|uniek)_?(id|no|nr|number)$/i, 'a number of a person'],
  [
    /^(gender|sex|geslacht|race|ras|ethnic|religion|nationality|nationaliteit|diagnosis|health)/i,
    'a personal trait'
  ]
]

/** What a column may tell of a person, or nothing. */
export function personalSign(column: string): string | undefined {
  return SIGNS.find(([pattern]) => pattern.test(column))?.[1]
}

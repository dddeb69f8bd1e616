/**
 * What a statement may call: deterministic, cheap, without files, settings, time or chance. What is not here is refused; a
 * function that can make a result of any size from nothing (`repeat`, `lpad`, `range`, `format`) does not belong here.
 */
function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/))
}

const OPERATORS = words('+ - * / // % ** ^ & | ~ << >> || @ ! ~~ !~~ ~~* !~~* ~~~ ^@ !~')

const SCALARS = words(`
  abs ceil ceiling floor round round_even trunc sign sqrt cbrt exp ln log log2 log10 pow power mod greatest least
  isnan isinf isfinite pi sin cos tan asin acos atan atan2 cot degrees radians even gcd lcm xor bit_count add subtract
  multiply divide
  lower upper lcase ucase trim ltrim rtrim length len strlen char_length character_length substring substr left right replace
  translate reverse instr strpos position starts_with ends_with suffix prefix contains like_escape ilike_escape
  not_like_escape not_ilike_escape regexp_matches regexp_full_match regexp_extract regexp_replace split_part concat concat_ws
  ascii unicode ord chr levenshtein editdist3 damerau_levenshtein jaccard jaro_similarity jaro_winkler_similarity
  strip_accents nfc_normalize
  nullif ifnull if typeof
  date_part datepart date_trunc datetrunc date_diff datediff date_sub datesub year month day quarter week weekofyear
  dayofweek weekday dayofmonth dayofyear isodow isoyear yearweek hour minute second millisecond microsecond decade century
  millennium era epoch epoch_ms epoch_us epoch_ns make_date make_time make_timestamp strftime strptime try_strptime last_day
  dayname monthname julian time_bucket timezone to_years to_quarters to_months to_weeks to_days to_hours to_minutes to_seconds
  to_milliseconds to_microseconds to_decades to_centuries to_timestamp
  struct_pack row struct_extract list_value list_extract array_extract list_contains array_contains list_has
`)

const AGGREGATES = words(`
  count count_star count_if countif sum avg mean min max median quantile quantile_cont quantile_disc mode mad
  stddev stddev_pop stddev_samp variance var_pop var_samp covar_pop covar_samp corr skewness kurtosis kurtosis_pop entropy
  regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy
  bool_and bool_or bit_and bit_or bit_xor product geomean geometric_mean fsum kahan_sum sumkahan favg
  arg_max argmax max_by arg_min argmin min_by string_agg group_concat listagg list array_agg histogram
`)

const WINDOWS = words(`
  row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
`)

/** Names that DuckDB takes for a function when no column has them. */
const SQL_VALUES = words(`
  current_catalog current_date current_role current_schema current_time current_timestamp current_user localtime
  localtimestamp session_user user
`)

export type FunctionKind = 'scalar' | 'aggregate' | 'window'

export function functionKind(name: string): FunctionKind | undefined {
  if (OPERATORS.has(name) || SCALARS.has(name)) return 'scalar'
  if (AGGREGATES.has(name)) return 'aggregate'
  return WINDOWS.has(name) ? 'window' : undefined
}

export function isOperator(name: string): boolean {
  return OPERATORS.has(name)
}

export function isSqlValue(name: string): boolean {
  return SQL_VALUES.has(name)
}

export function functionNames(): string[] {
  return [...SCALARS, ...AGGREGATES, ...WINDOWS]
}

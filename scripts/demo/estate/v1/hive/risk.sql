-- Credit, market and compliance risk
-- Export of 2025-11-03

create database if not exists risk comment 'Credit, market and compliance risk' location '/warehouse/risk.db';

use risk;

create table if not exists rating_scale (
  grade               varchar(4)               comment 'Grade (R1 best, R18 default)',
  grade_order         tinyint not null disable comment 'Position, 1 is best',
  pd_lower            double                   comment 'Lower bound of default probability',
  pd_upper            double                   comment 'Upper bound of default probability',
  external_equivalent varchar(5)               comment 'Agency grade it corresponds to',
  constraint pk_rating_scale primary key (grade) disable novalidate rely
)
comment 'Internal rating grades'
stored as orc
location '/warehouse/risk.db/rating_scale'
tblproperties ('orc.compress'='ZLIB');

create table if not exists risk_model (
  model_id    int                          comment 'Model key',
  model_name  varchar(40) not null disable comment 'Name in the model inventory',
  model_type  varchar(10)                  comment 'PD, LGD, EAD, VAR, AML',
  owner_id    int                          comment 'Model owner',
  supersedes  int                          comment 'Model it replaced',
  features    array<string>                comment 'Inputs of the model',
  approved_on date                         comment 'Approval of the committee',
  constraint pk_risk_model primary key (model_id) disable novalidate rely,
  constraint fk_risk_model_owner_id foreign key (owner_id) references core.employee (employee_id) disable novalidate,
  constraint fk_risk_model_supersedes foreign key (supersedes) references risk_model (model_id) disable novalidate
)
comment 'Models in use and retired'
stored as orc
location '/warehouse/risk.db/risk_model'
tblproperties ('orc.compress'='ZLIB');

create table if not exists counterparty (
  counterparty_id int        comment 'Counterparty key',
  customer_ref    int        comment 'The customer it is',
  entity_ref      int        comment 'The company it is',
  group_head      int        comment 'Head of the group of connected clients',
  country_of_risk char(2)    comment 'Country of risk',
  sector          varchar(8) comment 'Industry',
  analyst         int        comment 'Responsible analyst',
  watch_level     varchar(6) comment 'NONE, WATCH, WORKOUT',
  onboarded_on    date       comment 'First exposure',
  constraint pk_counterparty primary key (counterparty_id) disable novalidate rely,
  constraint fk_counterparty_customer_ref foreign key (customer_ref) references core.customer (customer_id) disable novalidate,
  constraint fk_counterparty_entity_ref foreign key (entity_ref) references core.legal_entity (entity_id) disable novalidate,
  constraint fk_counterparty_group_head foreign key (group_head) references counterparty (counterparty_id) disable novalidate,
  constraint fk_counterparty_country_of_risk foreign key (country_of_risk) references core.country (iso2) disable novalidate,
  constraint fk_counterparty_sector foreign key (sector) references core.industry (nace_code) disable novalidate,
  constraint fk_counterparty_analyst foreign key (analyst) references core.employee (employee_id) disable novalidate
)
comment 'Whom we have exposure to'
stored as orc
location '/warehouse/risk.db/counterparty'
tblproperties ('orc.compress'='ZLIB');

create table if not exists rating (
  rating_id       int                     comment 'Rating key',
  counterparty_id int                     comment 'Who was rated',
  grade           varchar(4)              comment 'Result',
  model_id        int                     comment 'Model that proposed it',
  proposed_grade  varchar(4)              comment 'What the model proposed',
  assigned_by     int                     comment 'Who decided',
  previous_rating int                     comment 'Rating before',
  override_reason varchar(60)             comment 'Why it differs from the proposal',
  valid_from      string not null disable comment 'First day',
  valid_to        string                  comment 'Last day',
  constraint pk_rating primary key (rating_id) disable novalidate rely,
  constraint fk_rating_counterparty_id foreign key (counterparty_id) references counterparty (counterparty_id) disable novalidate,
  constraint fk_rating_grade foreign key (grade) references rating_scale (grade) disable novalidate,
  constraint fk_rating_model_id foreign key (model_id) references risk_model (model_id) disable novalidate,
  constraint fk_rating_proposed_grade foreign key (proposed_grade) references rating_scale (grade) disable novalidate,
  constraint fk_rating_assigned_by foreign key (assigned_by) references core.employee (employee_id) disable novalidate,
  constraint fk_rating_previous_rating foreign key (previous_rating) references rating (rating_id) disable novalidate
)
comment 'Ratings of counterparties, with history'
stored as orc
location '/warehouse/risk.db/rating'
tblproperties ('orc.compress'='ZLIB');

create table if not exists facility (
  facility_id      int                            comment 'Facility key',
  counterparty_id  int                            comment 'Borrower',
  loan_ref         int                            comment 'Loan it belongs to',
  facility_type    varchar(12)                    comment 'TERM, REVOLVING, GUARANTEE, OVERDRAFT',
  committed_amount decimal(15,2) not null disable comment 'Commitment',
  facility_ccy     char(3)                        comment 'Currency',
  approved_by      int                            comment 'Who approved it',
  maturity         date                           comment 'Last day',
  constraint pk_facility primary key (facility_id) disable novalidate rely,
  constraint fk_facility_counterparty_id foreign key (counterparty_id) references counterparty (counterparty_id) disable novalidate,
  constraint fk_facility_loan_ref foreign key (loan_ref) references core.loan (loan_id) disable novalidate,
  constraint fk_facility_facility_ccy foreign key (facility_ccy) references core.currency (iso_code) disable novalidate,
  constraint fk_facility_approved_by foreign key (approved_by) references core.employee (employee_id) disable novalidate
)
comment 'Credit lines'
stored as orc
location '/warehouse/risk.db/facility'
tblproperties ('orc.compress'='ZLIB');

create external table if not exists exposure (
  exposure_id     bigint        comment 'Exposure key',
  counterparty_id int           comment 'Who owes',
  facility_id     int           comment 'Under which line',
  account_ref     int           comment 'Account it is booked on',
  exposure_ccy    char(3)       comment 'Currency',
  drawn_amount    decimal(15,2) comment 'Used',
  undrawn_amount  decimal(15,2) comment 'Not used',
  ead             float         comment 'Exposure at default',
  pd              float         comment 'Probability of default',
  lgd             float         comment 'Loss given default',
  risk_weight     float         comment 'Regulatory risk weight',
  constraint pk_exposure primary key (exposure_id) disable novalidate rely,
  constraint fk_exposure_counterparty_id foreign key (counterparty_id) references counterparty (counterparty_id) disable novalidate,
  constraint fk_exposure_facility_id foreign key (facility_id) references facility (facility_id) disable novalidate,
  constraint fk_exposure_account_ref foreign key (account_ref) references core.account (account_id) disable novalidate,
  constraint fk_exposure_exposure_ccy foreign key (exposure_ccy) references core.currency (iso_code) disable novalidate
)
comment 'Exposure a counterparty and day'
partitioned by (as_of date comment 'Reporting day')
stored as parquet
location '/warehouse/risk.db/exposure'
tblproperties ('parquet.compression'='SNAPPY');

create table if not exists collateral (
  collateral_id    int         comment 'Collateral key',
  provider_id      int         comment 'Who gave it',
  secures_facility int         comment 'What it secures',
  collateral_type  varchar(12) comment 'PROPERTY, SECURITIES, CASH, GUARANTEE',
  located_in       char(2)     comment 'Country',
  property         struct<address:string,built:int,area:double> comment 'Details of property',
  pledged_account  int         comment 'Account, for cash collateral',
  registered_on    date        comment 'Registration of the pledge',
  constraint pk_collateral primary key (collateral_id) disable novalidate rely,
  constraint fk_collateral_provider_id foreign key (provider_id) references core.customer (customer_id) disable novalidate,
  constraint fk_collateral_secures_facility foreign key (secures_facility) references facility (facility_id) disable novalidate,
  constraint fk_collateral_located_in foreign key (located_in) references core.country (iso2) disable novalidate,
  constraint fk_collateral_pledged_account foreign key (pledged_account) references core.account (account_id) disable novalidate
)
comment 'Collateral held'
stored as orc
location '/warehouse/risk.db/collateral'
tblproperties ('orc.compress'='ZLIB');

create table if not exists collateral_valuation (
  valuation_id  int                     comment 'Valuation key',
  collateral_id int                     comment 'What was valued',
  valued_by     int                     comment 'Who valued it',
  market_value  decimal(15,2)           comment 'Market value',
  lending_value decimal(15,2)           comment 'Value accepted for lending',
  valuation_ccy char(3)                 comment 'Currency',
  valued_on     string not null disable comment 'Day of the valuation',
  method        varchar(20)             comment 'Method',
  constraint pk_collateral_valuation primary key (valuation_id) disable novalidate rely,
  constraint fk_collateral_valuation_collateral_id foreign key (collateral_id) references collateral (collateral_id) disable novalidate,
  constraint fk_collateral_valuation_valued_by foreign key (valued_by) references core.employee (employee_id) disable novalidate,
  constraint fk_collateral_valuation_valuation_ccy foreign key (valuation_ccy) references core.currency (iso_code) disable novalidate
)
comment 'Values of collateral over time'
stored as orc
location '/warehouse/risk.db/collateral_valuation'
tblproperties ('orc.compress'='ZLIB');

create table if not exists credit_limit (
  limit_id        int                            comment 'Limit key',
  counterparty_id int                            comment 'Who is limited',
  parent_limit    int                            comment 'Limit above',
  limit_ccy       char(3)                        comment 'Currency',
  limit_amount    decimal(15,2) not null disable comment 'Amount',
  set_by          int                            comment 'Who set it',
  valid_to        date                           comment 'Until when',
  constraint pk_credit_limit primary key (limit_id) disable novalidate rely,
  constraint fk_credit_limit_counterparty_id foreign key (counterparty_id) references counterparty (counterparty_id) disable novalidate,
  constraint fk_credit_limit_parent_limit foreign key (parent_limit) references credit_limit (limit_id) disable novalidate,
  constraint fk_credit_limit_limit_ccy foreign key (limit_ccy) references core.currency (iso_code) disable novalidate,
  constraint fk_credit_limit_set_by foreign key (set_by) references core.employee (employee_id) disable novalidate
)
comment 'Limits a counterparty'
stored as orc
location '/warehouse/risk.db/credit_limit'
tblproperties ('orc.compress'='ZLIB');

create table if not exists limit_breach (
  breach_id       int                        comment 'Breach key',
  limit_id        int                        comment 'Which limit',
  caused_by       bigint                     comment 'Exposure that broke it',
  excess          decimal(15,2)              comment 'By how much',
  acknowledged_by int                        comment 'Who took note',
  breached_at     timestamp not null disable comment 'When',
  constraint pk_limit_breach primary key (breach_id) disable novalidate rely,
  constraint fk_limit_breach_limit_id foreign key (limit_id) references credit_limit (limit_id) disable novalidate,
  constraint fk_limit_breach_caused_by foreign key (caused_by) references exposure (exposure_id) disable novalidate,
  constraint fk_limit_breach_acknowledged_by foreign key (acknowledged_by) references core.employee (employee_id) disable novalidate
)
comment 'Breaches of limits'
stored as orc
location '/warehouse/risk.db/limit_breach'
tblproperties ('orc.compress'='ZLIB');

create table if not exists default_event (
  event_id        int                   comment 'Event key',
  counterparty_id int                   comment 'Who defaulted',
  trigger_loan    int                   comment 'Loan that was late',
  event_type      varchar(16)           comment 'PAST_DUE, UNLIKELY_TO_PAY, CURE',
  recorded_by     int                   comment 'Who recorded it',
  event_date      date not null disable comment 'Day',
  constraint pk_default_event primary key (event_id) disable novalidate rely,
  constraint fk_default_event_counterparty_id foreign key (counterparty_id) references counterparty (counterparty_id) disable novalidate,
  constraint fk_default_event_trigger_loan foreign key (trigger_loan) references core.loan (loan_id) disable novalidate,
  constraint fk_default_event_recorded_by foreign key (recorded_by) references core.employee (employee_id) disable novalidate
)
comment 'Defaults and cures'
stored as orc
location '/warehouse/risk.db/default_event'
tblproperties ('orc.compress'='ZLIB');

create external table if not exists provision (
  provision_id bigint      comment 'Provision key',
  exposure_id  bigint      comment 'For which exposure',
  model_id     int         comment 'Model that calculated it',
  stage        tinyint     comment 'IFRS 9 stage',
  ecl_12m      double      comment 'Loss expected in twelve months',
  ecl_lifetime double      comment 'Loss expected until maturity',
  booked_to    varchar(12) comment 'Ledger account',
  constraint pk_provision primary key (provision_id) disable novalidate rely,
  constraint fk_provision_exposure_id foreign key (exposure_id) references exposure (exposure_id) disable novalidate,
  constraint fk_provision_model_id foreign key (model_id) references risk_model (model_id) disable novalidate,
  constraint fk_provision_booked_to foreign key (booked_to) references core.gl_account (gl_number) disable novalidate
)
comment 'Expected credit loss (IFRS 9)'
partitioned by (as_of date comment 'Reporting day')
stored as parquet
location '/warehouse/risk.db/provision'
tblproperties ('parquet.compression'='SNAPPY');

create table if not exists scenario (
  scenario_id   int                          comment 'Scenario key',
  scenario_name varchar(40) not null disable comment 'Name',
  based_on      int                          comment 'Scenario it refines',
  author        int                          comment 'Who wrote it',
  shocks        map<string,double>           comment 'Risk factor to shock',
  severity      varchar(8)                   comment 'MILD, SEVERE, EXTREME',
  created_on    date                         comment 'When',
  constraint pk_scenario primary key (scenario_id) disable novalidate rely,
  constraint fk_scenario_based_on foreign key (based_on) references scenario (scenario_id) disable novalidate,
  constraint fk_scenario_author foreign key (author) references core.employee (employee_id) disable novalidate
)
comment 'Stress and macro scenarios'
stored as orc
location '/warehouse/risk.db/scenario'
tblproperties ('orc.compress'='ZLIB');

create external table if not exists stress_result (
  result_id       bigint comment 'Result key',
  scenario_id     int    comment 'Which scenario',
  counterparty_id int    comment 'For whom',
  stressed_pd     float  comment 'Stressed default probability',
  stressed_loss   double comment 'Loss',
  constraint pk_stress_result primary key (result_id) disable novalidate rely,
  constraint fk_stress_result_scenario_id foreign key (scenario_id) references scenario (scenario_id) disable novalidate,
  constraint fk_stress_result_counterparty_id foreign key (counterparty_id) references counterparty (counterparty_id) disable novalidate
)
comment 'Results of stress tests'
partitioned by (as_of date comment 'Reporting day')
stored as parquet
location '/warehouse/risk.db/stress_result'
tblproperties ('parquet.compression'='SNAPPY');

create external table if not exists trading_position (
  position_id  bigint                          comment 'Position key',
  trader       int                             comment 'Who holds it',
  position_ccy char(3)                         comment 'Currency',
  issuer       int                             comment 'Issuer of the paper',
  instrument   struct<isin:string,kind:string> comment 'Instrument',
  quantity     int                             comment 'Pieces or nominal',
  market_value decimal(15,2)                   comment 'Value',
  constraint pk_trading_position primary key (position_id) disable novalidate rely,
  constraint fk_trading_position_trader foreign key (trader) references core.employee (employee_id) disable novalidate,
  constraint fk_trading_position_position_ccy foreign key (position_ccy) references core.currency (iso_code) disable novalidate,
  constraint fk_trading_position_issuer foreign key (issuer) references counterparty (counterparty_id) disable novalidate
)
comment 'Positions of the trading desks'
partitioned by (as_of date comment 'Trading day')
stored as parquet
location '/warehouse/risk.db/trading_position'
tblproperties ('parquet.compression'='SNAPPY');

create external table if not exists var_result (
  result_id    bigint  comment 'Result key',
  desk_head    int     comment 'Head of the desk',
  model_id     int     comment 'Model',
  confidence   float   comment 'Confidence level',
  var_amount   double  comment 'Value at risk',
  horizon_days tinyint comment 'Holding period',
  constraint pk_var_result primary key (result_id) disable novalidate rely,
  constraint fk_var_result_desk_head foreign key (desk_head) references core.employee (employee_id) disable novalidate,
  constraint fk_var_result_model_id foreign key (model_id) references risk_model (model_id) disable novalidate
)
comment 'Value at risk a desk'
partitioned by (as_of date comment 'Trading day')
stored as parquet
location '/warehouse/risk.db/var_result'
tblproperties ('parquet.compression'='SNAPPY');

create table if not exists alert_rule (
  rule_id       int                          comment 'Rule key',
  rule_code     varchar(10) not null disable comment 'Code',
  rule_text     varchar(200)                 comment 'What it looks for',
  threshold     decimal(12,2)                comment 'Amount from which it fires',
  maintained_by int                          comment 'Who maintains it',
  scope_mcc     smallint                     comment 'Merchant category it is limited to',
  is_active     boolean                      comment 'Switched on',
  constraint pk_alert_rule primary key (rule_id) disable novalidate rely,
  constraint fk_alert_rule_maintained_by foreign key (maintained_by) references core.employee (employee_id) disable novalidate,
  constraint fk_alert_rule_scope_mcc foreign key (scope_mcc) references core.merchant_category (mcc) disable novalidate
)
comment 'Rules of transaction monitoring'
stored as orc
location '/warehouse/risk.db/alert_rule'
tblproperties ('orc.compress'='ZLIB');

create external table if not exists alert (
  alert_id            bigint                                  comment 'Alert key',
  rule_id             int                                     comment 'Rule that fired',
  subject             int                                     comment 'Who is suspected',
  trigger_transaction bigint                                  comment 'What it fired on',
  investigator        int                                     comment 'Who looks into it',
  case_id             int                                     comment 'Case it was joined to',
  score               float                                   comment 'Score of the model',
  evidence            array<struct<kind:string,value:string>> comment 'What speaks for it',
  status              varchar(10)                             comment 'OPEN, CLOSED, ESCALATED',
  constraint pk_alert primary key (alert_id) disable novalidate rely,
  constraint fk_alert_rule_id foreign key (rule_id) references alert_rule (rule_id) disable novalidate,
  constraint fk_alert_subject foreign key (subject) references core.customer (customer_id) disable novalidate,
  constraint fk_alert_trigger_transaction foreign key (trigger_transaction) references core.transaction (transaction_id) disable novalidate,
  constraint fk_alert_investigator foreign key (investigator) references core.employee (employee_id) disable novalidate,
  constraint fk_alert_case_id foreign key (case_id) references case_file (case_id) disable novalidate
)
comment 'Alerts of transaction monitoring'
partitioned by (raised_on date comment 'Day of the alert')
stored as parquet
location '/warehouse/risk.db/alert'
tblproperties ('parquet.compression'='SNAPPY');

create table if not exists case_file (
  case_id           int                   comment 'Case key',
  main_subject      int                   comment 'Main suspect',
  lead_investigator int                   comment 'Who leads',
  related_case      int                   comment 'Earlier case',
  opened_on         date not null disable comment 'First day',
  reported_on       string                comment 'Day of the report to the authority',
  outcome           varchar(20)           comment 'Result',
  constraint pk_case_file primary key (case_id) disable novalidate rely,
  constraint fk_case_file_main_subject foreign key (main_subject) references core.customer (customer_id) disable novalidate,
  constraint fk_case_file_lead_investigator foreign key (lead_investigator) references core.employee (employee_id) disable novalidate,
  constraint fk_case_file_related_case foreign key (related_case) references case_file (case_id) disable novalidate
)
comment 'Investigations'
stored as orc
location '/warehouse/risk.db/case_file'
tblproperties ('orc.compress'='ZLIB');

create table if not exists sanctions_entry (
  entry_id    int                          comment 'Entry key',
  list_name   varchar(20) not null disable comment 'EU, OFAC, UN',
  full_name   varchar(120)                 comment 'Name',
  aliases     array<string>                comment 'Other names',
  citizenship char(2)                      comment 'Nationality',
  listed_on   string                       comment 'First day',
  constraint pk_sanctions_entry primary key (entry_id) disable novalidate rely,
  constraint fk_sanctions_entry_citizenship foreign key (citizenship) references core.country (iso2) disable novalidate
)
comment 'Entries of sanctions lists'
stored as orc
location '/warehouse/risk.db/sanctions_entry'
tblproperties ('orc.compress'='ZLIB');

create table if not exists watchlist_hit (
  hit_id           int       comment 'Hit key',
  entry_id         int       comment 'Entry',
  matched_customer int       comment 'Customer',
  similarity       float     comment 'Similarity of the names',
  cleared_by       int       comment 'Who cleared it',
  cleared_at       timestamp comment 'When',
  constraint pk_watchlist_hit primary key (hit_id) disable novalidate rely,
  constraint fk_watchlist_hit_entry_id foreign key (entry_id) references sanctions_entry (entry_id) disable novalidate,
  constraint fk_watchlist_hit_matched_customer foreign key (matched_customer) references core.customer (customer_id) disable novalidate,
  constraint fk_watchlist_hit_cleared_by foreign key (cleared_by) references core.employee (employee_id) disable novalidate
)
comment 'Matches of customers with sanctions lists'
stored as orc
location '/warehouse/risk.db/watchlist_hit'
tblproperties ('orc.compress'='ZLIB');

create table if not exists legacy_score (
  customer_id int    comment 'Customer',
  score       int    comment 'Points',
  scored_on   string comment 'Day',
  constraint pk_legacy_score primary key (customer_id) disable novalidate rely,
  constraint fk_legacy_score_customer_id foreign key (customer_id) references core.customer (customer_id) disable novalidate
)
comment 'Scores of the retired scorecard'
stored as orc
location '/warehouse/risk.db/legacy_score'
tblproperties ('orc.compress'='ZLIB');

create view if not exists v_current_rating
comment 'The rating in force of each counterparty'
as
select r.counterparty_id,
       r.grade,
       s.grade_order,
       s.pd_upper,
       r.valid_from,
       m.model_name
  from rating r
  join rating_scale s on s.grade = r.grade
  left outer join risk_model m on m.model_id = r.model_id
 where r.valid_to is null;

create view if not exists v_exposure_by_group
comment 'Exposure summed over groups of connected clients'
as
select coalesce(c.group_head, c.counterparty_id) as group_id,
       e.as_of,
       e.exposure_ccy,
       sum(e.drawn_amount) as drawn,
       sum(e.undrawn_amount) as undrawn,
       sum(e.ead * e.pd * e.lgd) as expected_loss,
       count(distinct e.counterparty_id) as members
  from exposure e
  join counterparty c on c.counterparty_id = e.counterparty_id
 group by coalesce(c.group_head, c.counterparty_id), e.as_of, e.exposure_ccy;

create view if not exists v_collateral_coverage
comment 'How far facilities are covered'
as
with latest as (
  select v.collateral_id, v.lending_value, row_number() over (partition by v.collateral_id order by v.valued_on desc) as recency
    from collateral_valuation v
)
select f.facility_id,
       f.committed_amount,
       sum(l.lending_value) as lending_value,
       case when f.committed_amount > 0 then sum(l.lending_value) / f.committed_amount else null end as coverage
  from facility f
  left outer join collateral k on k.secures_facility = f.facility_id
  left outer join latest l on l.collateral_id = k.collateral_id and l.recency = 1
 group by f.facility_id, f.committed_amount;

create view if not exists v_open_alerts
comment 'Alerts nobody has closed, with the customer'
as
select a.alert_id,
       a.raised_on,
       r.rule_code,
       a.score,
       u.customer_no,
       u.last_name,
       i.email as investigator_email
  from alert a
  join alert_rule r on r.rule_id = a.rule_id
  join core.customer u on u.customer_id = a.subject
  left outer join core.employee i on i.employee_id = a.investigator
 where a.case_id is null;

-- Credit, market and compliance risk
-- Export of 2026-05-04

create database if not exists risk comment 'Credit, market and compliance risk' location '/warehouse/risk.db';

use risk;

create table if not exists rating_scale (
  grade               varchar(6)           comment 'Grade (R1 best, R18 default)',
  grade_order         int not null disable comment 'Position, 1 is best',
  pd_lower            double               comment 'Lower bound of default probability',
  pd_upper            double               comment 'Upper bound of default probability',
  external_equivalent varchar(5)           comment 'Agency grade it corresponds to',
  constraint pk_rating_scale primary key (grade) disable novalidate rely
)
comment 'Internal rating grades'
stored as orc
location '/warehouse/risk.db/rating_scale'
tblproperties ('orc.compress'='ZLIB');

create table if not exists risk_model (
  model_id     int                          comment 'Model key',
  model_name   varchar(80) not null disable comment 'Name in the model inventory',
  model_type   varchar(10)                  comment 'PD, LGD, EAD, VAR, AML',
  owner_id     bigint                       comment 'Model owner',
  validator_id bigint                       comment 'Who validated it',
  supersedes   int                          comment 'Model it replaced',
  features     array<string>                comment 'Inputs of the model',
  parameters   map<string,double>           comment 'Fitted parameters',
  approved_on  date                         comment 'Approval of the committee',
  constraint pk_risk_model primary key (model_id) disable novalidate rely,
  constraint fk_risk_model_owner_id foreign key (owner_id) references core.employee (employee_id) disable novalidate,
  constraint fk_risk_model_validator_id foreign key (validator_id) references core.employee (employee_id) disable novalidate,
  constraint fk_risk_model_supersedes foreign key (supersedes) references risk_model (model_id) disable novalidate
)
comment 'Models in use and retired'
stored as orc
location '/warehouse/risk.db/risk_model'
tblproperties ('orc.compress'='ZLIB');

create table if not exists counterparty (
  counterparty_id bigint      comment 'Counterparty key',
  customer_ref    bigint      comment 'The customer it is',
  entity_ref      bigint      comment 'The company it is',
  group_head      bigint      comment 'Head of the group of connected clients',
  country_of_risk char(2)     comment 'Country of risk',
  sector          varchar(8)  comment 'Industry',
  analyst         bigint      comment 'Responsible analyst',
  watch_level     varchar(12) comment 'NONE, WATCH, WORKOUT',
  onboarded_on    date        comment 'First exposure',
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
  rating_id       bigint                comment 'Rating key',
  counterparty_id bigint                comment 'Who was rated',
  grade           varchar(6)            comment 'Result',
  model_id        int                   comment 'Model that proposed it',
  proposed_grade  varchar(6)            comment 'What the model proposed',
  assigned_by     bigint                comment 'Who decided',
  previous_rating bigint                comment 'Rating before',
  override_reason varchar(200)          comment 'Why it differs from the proposal',
  drivers         array<struct<factor:string,weight:double>> comment 'What moved the grade',
  valid_from      date not null disable comment 'First day',
  valid_to        date                  comment 'Last day',
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
  facility_id      bigint                         comment 'Facility key',
  counterparty_id  bigint                         comment 'Borrower',
  loan_ref         bigint                         comment 'Loan it belongs to',
  facility_type    varchar(12)                    comment 'TERM, REVOLVING, GUARANTEE, OVERDRAFT',
  committed_amount decimal(18,2) not null disable comment 'Commitment',
  facility_ccy     char(3)                        comment 'Currency',
  approved_by      bigint                         comment 'Who approved it',
  matures_on       date                           comment 'Last day',
  is_cancellable   boolean                        comment 'Cancellable at any time',
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
  counterparty_id bigint        comment 'Who owes',
  facility_id     bigint        comment 'Under which line',
  account_ref     bigint        comment 'Account it is booked on',
  exposure_ccy    char(3)       comment 'Currency',
  drawn_amount    decimal(18,2) comment 'Used',
  undrawn_amount  decimal(18,2) comment 'Not used',
  ead             double        comment 'Exposure at default',
  pd              double        comment 'Probability of default',
  lgd             double        comment 'Loss given default',
  risk_weight     double        comment 'Regulatory risk weight',
  stage           tinyint       comment 'IFRS 9 stage',
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
  collateral_id    bigint      comment 'Collateral key',
  provider_id      bigint      comment 'Who gave it',
  secures_facility bigint      comment 'What it secures',
  collateral_type  varchar(24) comment 'PROPERTY, SECURITIES, CASH, GUARANTEE',
  located_in       char(2)     comment 'Country',
  property         struct<address:string,built:int,area:double,energy_class:string> comment 'Details of property',
  pledged_account  bigint      comment 'Account, for cash collateral',
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
  valuation_id  bigint                comment 'Valuation key',
  collateral_id bigint                comment 'What was valued',
  valued_by     bigint                comment 'Who valued it',
  market_value  decimal(18,2)         comment 'Market value',
  lending_value decimal(18,2)         comment 'Value accepted for lending',
  valuation_ccy char(3)               comment 'Currency',
  valued_on     date not null disable comment 'Day of the valuation',
  method        varchar(20)           comment 'Method',
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
  limit_id        bigint                         comment 'Limit key',
  counterparty_id bigint                         comment 'Who is limited',
  parent_limit    bigint                         comment 'Limit above',
  limit_ccy       char(3)                        comment 'Currency',
  limit_amount    decimal(18,2) not null disable comment 'Amount',
  set_by          bigint                         comment 'Who set it',
  valid_to        date                           comment 'Until when',
  breach_action   varchar(10)                    comment 'WARN, BLOCK',
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
  limit_id        bigint                     comment 'Which limit',
  caused_by       bigint                     comment 'Exposure that broke it',
  excess          decimal(18,2)              comment 'By how much',
  acknowledged_by bigint                     comment 'Who took note',
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
  counterparty_id bigint                comment 'Who defaulted',
  trigger_loan    bigint                comment 'Loan that was late',
  event_type      varchar(30)           comment 'PAST_DUE, UNLIKELY_TO_PAY, CURE',
  recorded_by     bigint                comment 'Who recorded it',
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
  provision_id bigint        comment 'Provision key',
  exposure_id  bigint        comment 'For which exposure',
  model_id     int           comment 'Model that calculated it',
  stage        int           comment 'IFRS 9 stage',
  ecl_12m      decimal(18,2) comment 'Loss expected in twelve months',
  ecl_lifetime decimal(18,2) comment 'Loss expected until maturity',
  booked_to    varchar(12)   comment 'Ledger account',
  overlay      decimal(15,2) comment 'Management overlay',
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
  scenario_name varchar(80) not null disable comment 'Name',
  based_on      int                          comment 'Scenario it refines',
  author        bigint                       comment 'Who wrote it',
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
  result_id       bigint        comment 'Result key',
  scenario_id     int           comment 'Which scenario',
  counterparty_id bigint        comment 'For whom',
  stressed_pd     double        comment 'Stressed default probability',
  stressed_loss   double        comment 'Loss',
  path            array<double> comment 'Loss a quarter',
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
  trader       bigint                          comment 'Who holds it',
  position_ccy char(3)                         comment 'Currency',
  issuer       bigint                          comment 'Issuer of the paper',
  instrument   struct<isin:string,kind:string> comment 'Instrument',
  quantity     bigint                          comment 'Pieces or nominal',
  market_value decimal(18,2)                   comment 'Value',
  greeks       map<string,double>              comment 'Sensitivities',
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
  result_id    bigint comment 'Result key',
  desk_head    bigint comment 'Head of the desk',
  model_id     int    comment 'Model',
  confidence   double comment 'Confidence level',
  var_amount   double comment 'Value at risk',
  horizon_days int    comment 'Holding period',
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
  rule_code     varchar(20) not null disable comment 'Code',
  rule_text     varchar(500)                 comment 'What it looks for',
  threshold     decimal(18,2)                comment 'Amount from which it fires',
  maintained_by bigint                       comment 'Who maintains it',
  scope_mcc     int                          comment 'Merchant category it is limited to',
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
  subject             bigint                                  comment 'Who is suspected',
  trigger_transaction bigint                                  comment 'What it fired on',
  investigator        bigint                                  comment 'Who looks into it',
  case_id             bigint                                  comment 'Case it was joined to',
  score               double                                  comment 'Score of the model',
  evidence            array<struct<kind:string,value:string>> comment 'What speaks for it',
  status              varchar(20)                             comment 'OPEN, CLOSED, ESCALATED',
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
  case_id           bigint                comment 'Case key',
  main_subject      bigint                comment 'Main suspect',
  lead_investigator bigint                comment 'Who leads',
  related_case      bigint                comment 'Earlier case',
  opened_on         date not null disable comment 'First day',
  reported_on       date                  comment 'Day of the report to the authority',
  outcome           varchar(40)           comment 'Result',
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
  entry_id    bigint                       comment 'Entry key',
  list_name   varchar(40) not null disable comment 'EU, OFAC, UN',
  full_name   varchar(250)                 comment 'Name',
  aliases     array<string>                comment 'Other names',
  citizenship char(2)                      comment 'Nationality',
  listed_on   date                         comment 'First day',
  constraint pk_sanctions_entry primary key (entry_id) disable novalidate rely,
  constraint fk_sanctions_entry_citizenship foreign key (citizenship) references core.country (iso2) disable novalidate
)
comment 'Entries of sanctions lists'
stored as orc
location '/warehouse/risk.db/sanctions_entry'
tblproperties ('orc.compress'='ZLIB');

create table if not exists watchlist_hit (
  hit_id           bigint    comment 'Hit key',
  entry_id         bigint    comment 'Entry',
  matched_customer bigint    comment 'Customer',
  similarity       double    comment 'Similarity of the names',
  cleared_by       bigint    comment 'Who cleared it',
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

create table if not exists climate_assessment (
  assessment_id   bigint                              comment 'Assessment key',
  counterparty_id bigint                              comment 'Who was assessed',
  assessor        bigint                              comment 'Who assessed',
  main_site       char(2)                             comment 'Country of the main site',
  transition_risk double                              comment 'Transition risk, 0 to 1',
  physical_risk   double                              comment 'Physical risk, 0 to 1',
  emissions       struct<scope1:double,scope2:double> comment 'Tonnes of CO2 a year',
  assessed_on     date                                comment 'Day',
  constraint pk_climate_assessment primary key (assessment_id) disable novalidate rely,
  constraint fk_climate_assessment_counterparty_id foreign key (counterparty_id) references counterparty (counterparty_id) disable novalidate,
  constraint fk_climate_assessment_assessor foreign key (assessor) references core.employee (employee_id) disable novalidate,
  constraint fk_climate_assessment_main_site foreign key (main_site) references core.country (iso2) disable novalidate
)
comment 'Climate risk of counterparties'
stored as orc
location '/warehouse/risk.db/climate_assessment'
tblproperties ('orc.compress'='ZLIB');

create table if not exists operational_loss (
  loss_id          int                            comment 'Loss key',
  branch_concerned bigint                         comment 'Where it happened',
  reported_by      bigint                         comment 'Who reported it',
  loss_ccy         char(3)                        comment 'Currency',
  gross_loss       decimal(18,2) not null disable comment 'Before recoveries',
  posted_as        bigint                         comment 'Posting in the ledger',
  category         varchar(40)                    comment 'Basel event type',
  happened_on      date                           comment 'Day',
  constraint pk_operational_loss primary key (loss_id) disable novalidate rely,
  constraint fk_operational_loss_branch_concerned foreign key (branch_concerned) references core.branch (branch_id) disable novalidate,
  constraint fk_operational_loss_reported_by foreign key (reported_by) references core.employee (employee_id) disable novalidate,
  constraint fk_operational_loss_loss_ccy foreign key (loss_ccy) references core.currency (iso_code) disable novalidate,
  constraint fk_operational_loss_posted_as foreign key (posted_as) references core.gl_posting (posting_id) disable novalidate
)
comment 'Losses from operations'
stored as orc
location '/warehouse/risk.db/operational_loss'
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

create view if not exists v_limit_utilisation
comment 'Use of limits'
as
select l.limit_id,
       l.counterparty_id,
       l.limit_amount,
       sum(e.drawn_amount) as used,
       l.limit_amount - sum(e.drawn_amount) as free,
       max(e.as_of) as as_of
  from credit_limit l
  join exposure e on e.counterparty_id = l.counterparty_id
 group by l.limit_id, l.counterparty_id, l.limit_amount;

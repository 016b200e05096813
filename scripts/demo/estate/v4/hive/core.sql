-- Core banking: customers, accounts, payments, loans and the general ledger
-- Export of 2026-08-03

create database if not exists core comment 'Core banking: customers, accounts, payments, loans and the general ledger' location '/warehouse/core.db';

use core;

create table if not exists country (
  iso2         char(2)                       comment 'Two-letter ISO 3166 code',
  iso3         char(3)                       comment 'Three-letter ISO 3166 code',
  country_name varchar(100) not null disable comment 'English short name',
  region       varchar(40)                   comment 'Reporting region (EMEA, APAC, AMER)',
  is_eu        boolean                       comment 'Member of the European Union',
  is_sepa      boolean                       comment 'Part of the single euro payments area',
  fatf_status  varchar(20)                   comment 'Position on the FATF lists',
  constraint pk_country primary key (iso2) disable novalidate rely
)
comment 'Countries and territories (ISO 3166)'
stored as orc
location '/warehouse/core.db/country'
tblproperties ('orc.compress'='ZLIB');

create table if not exists currency (
  iso_code      char(3)                      comment 'Three-letter ISO 4217 code',
  iso_number    int                          comment 'Numeric ISO 4217 code',
  currency_name varchar(60) not null disable comment 'English name',
  minor_units   int                          comment 'Digits after the decimal point',
  is_active     boolean                      comment 'May be booked today',
  constraint pk_currency primary key (iso_code) disable novalidate rely
)
comment 'Currencies (ISO 4217)'
stored as orc
location '/warehouse/core.db/currency'
tblproperties ('orc.compress'='ZLIB');

create table if not exists branch (
  branch_id     bigint                        comment 'Branch number',
  branch_name   varchar(80) not null disable  comment 'Name on the door',
  country_code  char(2)                       comment 'Country of the branch',
  city          varchar(80)                   comment 'City',
  postal_code   varchar(16)                   comment 'Postal code',
  manager_id    bigint                        comment 'Branch manager',
  geo           struct<lat:double,lon:double> comment 'Position of the entrance',
  opening_hours map<string,string>            comment 'Week day to opening hours',
  services      array<string>                 comment 'Services offered at the counter',
  opened_on     date                          comment 'First day of business',
  closed_on     date                          comment 'Last day of business, null while open',
  constraint pk_branch primary key (branch_id) disable novalidate rely,
  constraint fk_branch_country_code foreign key (country_code) references country (iso2) disable novalidate,
  constraint fk_branch_manager_id foreign key (manager_id) references employee (employee_id) disable novalidate
)
comment 'Branches and advisory centres'
stored as orc
location '/warehouse/core.db/branch'
tblproperties ('orc.compress'='ZLIB');

create table if not exists employee (
  employee_id    bigint                       comment 'Personnel number',
  first_name     varchar(80)                  comment 'Given name',
  last_name      varchar(80) not null disable comment 'Family name',
  email          varchar(120)                 comment 'Work address',
  branch_id      bigint                       comment 'Where the employee works',
  reports_to     bigint                       comment 'Direct superior',
  position_title varchar(60)                  comment 'Title in the current role',
  cost_centre    int                          comment 'Cost centre that pays',
  skills         array<string>                comment 'Certified skills',
  hired_on       date not null disable        comment 'First working day',
  left_on        date                         comment 'Last working day, null while employed',
  constraint pk_employee primary key (employee_id) disable novalidate rely,
  constraint fk_employee_branch_id foreign key (branch_id) references branch (branch_id) disable novalidate,
  constraint fk_employee_reports_to foreign key (reports_to) references employee (employee_id) disable novalidate
)
comment 'Staff with access to banking systems'
stored as orc
location '/warehouse/core.db/employee'
tblproperties ('orc.compress'='ZLIB');

create table if not exists industry (
  nace_code   varchar(8)   comment 'Section, division, group or class',
  description varchar(200) comment 'Official title',
  parent_code varchar(8)   comment 'Next level up',
  esg_class   varchar(10)  comment 'Internal sustainability class',
  constraint pk_industry primary key (nace_code) disable novalidate rely,
  constraint fk_industry_parent_code foreign key (parent_code) references industry (nace_code) disable novalidate
)
comment 'Industry codes (NACE Rev. 2)'
stored as orc
location '/warehouse/core.db/industry'
tblproperties ('orc.compress'='ZLIB');

create table if not exists product (
  product_id     int                          comment 'Product key',
  product_code   varchar(20) not null disable comment 'Code in the product catalogue',
  product_name   varchar(100)                 comment 'Name used in contracts',
  product_type   varchar(20)                  comment 'CURRENT, SAVINGS, CARD, LOAN, MORTGAGE',
  ccy            char(3)                      comment 'Currency the product is denominated in',
  terms          struct<notice_days:int,min_balance:decimal(18,2),fee:decimal(10,2)> comment 'Standard terms',
  sales_channels array<string>                comment 'Channels it is sold through',
  successor_id   int                          comment 'Product that replaced it',
  launched_on    date                         comment 'First day of sale',
  withdrawn_on   date                         comment 'Last day of sale',
  constraint pk_product primary key (product_id) disable novalidate rely,
  constraint fk_product_ccy foreign key (ccy) references currency (iso_code) disable novalidate,
  constraint fk_product_successor_id foreign key (successor_id) references product (product_id) disable novalidate
)
comment 'Products the bank sells'
stored as orc
location '/warehouse/core.db/product'
tblproperties ('orc.compress'='ZLIB');

create table if not exists customer (
  customer_id          bigint                       comment 'Customer key',
  customer_no          varchar(12) not null disable comment 'Number printed on letters',
  customer_type        char(1)                      comment 'P natural person, L legal person',
  salutation           varchar(20)                  comment 'Form of address',
  first_name           varchar(80)                  comment 'Given name',
  last_name            varchar(120)                 comment 'Family or company name',
  birth_date           date                         comment 'Date of birth',
  nationality          char(2)                      comment 'Nationality',
  residence            char(2)                      comment 'Country of tax residence',
  tax_number           varchar(20)                  comment 'Tax identification number',
  home_branch          bigint                       comment 'Branch that keeps the relationship',
  relationship_manager bigint                       comment 'Personal adviser',
  referred_by          bigint                       comment 'Customer who recommended us',
  segment_code         varchar(20)                  comment 'RETAIL, AFFLUENT, PRIVATE, SME, CORP',
  kyc_status           varchar(10)                  comment 'Result of the last identity check',
  kyc_checked_on       date                         comment 'Day of the last identity check',
  preferred_language   char(2)                      comment 'ISO 639 code',
  is_pep               boolean                      comment 'Politically exposed person',
  onboarded_on         date                         comment 'First contract',
  left_on              date                         comment 'Last contract ended',
  constraint pk_customer primary key (customer_id) disable novalidate rely,
  constraint fk_customer_nationality foreign key (nationality) references country (iso2) disable novalidate,
  constraint fk_customer_residence foreign key (residence) references country (iso2) disable novalidate,
  constraint fk_customer_home_branch foreign key (home_branch) references branch (branch_id) disable novalidate,
  constraint fk_customer_relationship_manager foreign key (relationship_manager) references employee (employee_id) disable novalidate,
  constraint fk_customer_referred_by foreign key (referred_by) references customer (customer_id) disable novalidate
)
comment 'Natural and legal persons with a contract'
stored as orc
location '/warehouse/core.db/customer'
tblproperties ('orc.compress'='ZLIB');

create table if not exists customer_address (
  address_id   bigint       comment 'Address key',
  customer_id  bigint       comment 'Whose address',
  address_type varchar(10)  comment 'HOME, MAIL, LEGAL',
  street       varchar(120) comment 'Street and number',
  postal_code  varchar(16)  comment 'Postal code',
  city         varchar(80)  comment 'City',
  country_code char(2)      comment 'Country',
  geocode      struct<lat:double,lon:double,quality:int> comment 'From the address register',
  valid_from   date         comment 'First day',
  valid_to     date         comment 'Last day, null for the current one',
  constraint pk_customer_address primary key (address_id) disable novalidate rely,
  constraint fk_customer_address_customer_id foreign key (customer_id) references customer (customer_id) disable novalidate,
  constraint fk_customer_address_country_code foreign key (country_code) references country (iso2) disable novalidate
)
comment 'Addresses of customers, with history'
stored as orc
location '/warehouse/core.db/customer_address'
tblproperties ('orc.compress'='ZLIB');

create table if not exists customer_contact (
  contact_id    bigint       comment 'Contact key',
  customer_id   bigint       comment 'Whose contact',
  channel_code  varchar(10)  comment 'EMAIL, MOBILE, PHONE',
  contact_value varchar(120) comment 'Number or address',
  is_verified   boolean      comment 'Confirmed by the customer',
  verified_at   timestamp    comment 'When it was confirmed',
  captured_by   bigint       comment 'Who entered it',
  constraint pk_customer_contact primary key (contact_id) disable novalidate rely,
  constraint fk_customer_contact_customer_id foreign key (customer_id) references customer (customer_id) disable novalidate,
  constraint fk_customer_contact_captured_by foreign key (captured_by) references employee (employee_id) disable novalidate
)
comment 'Phone numbers and e-mail addresses'
stored as orc
location '/warehouse/core.db/customer_contact'
tblproperties ('orc.compress'='ZLIB');

create table if not exists legal_entity (
  entity_id         bigint        comment 'Entity key',
  customer_id       bigint        comment 'The customer it is',
  lei               char(20)      comment 'Legal entity identifier (ISO 17442)',
  parent_entity     bigint        comment 'Direct parent in the group',
  incorporated_in   char(2)       comment 'Country of incorporation',
  industry_code     varchar(8)    comment 'Main activity',
  employees         int           comment 'Head count',
  annual_turnover   decimal(18,2) comment 'Last reported turnover',
  beneficial_owners array<struct<name:string,share:decimal(5,2),country:string>> comment 'Owners above 25 %',
  constraint pk_legal_entity primary key (entity_id) disable novalidate rely,
  constraint fk_legal_entity_customer_id foreign key (customer_id) references customer (customer_id) disable novalidate,
  constraint fk_legal_entity_parent_entity foreign key (parent_entity) references legal_entity (entity_id) disable novalidate,
  constraint fk_legal_entity_incorporated_in foreign key (incorporated_in) references country (iso2) disable novalidate,
  constraint fk_legal_entity_industry_code foreign key (industry_code) references industry (nace_code) disable novalidate
)
comment 'Companies behind customers of type L'
stored as orc
location '/warehouse/core.db/legal_entity'
tblproperties ('orc.compress'='ZLIB');

create table if not exists account (
  account_id      bigint                       comment 'Account key',
  account_no      varchar(20) not null disable comment 'Internal account number',
  iban            varchar(34)                  comment 'International account number',
  customer_id     bigint                       comment 'Main holder',
  product_id      int                          comment 'What was sold',
  branch_id       bigint                       comment 'Where it is kept',
  ccy             char(3)                      comment 'Account currency',
  parent_account  bigint                       comment 'Main account of a sub-account',
  opened_by       bigint                       comment 'Who opened it',
  closed_by       bigint                       comment 'Who closed it',
  status          varchar(10)                  comment 'OPEN, DORMANT, BLOCKED, CLOSED',
  overdraft_limit decimal(18,2)                comment 'Agreed overdraft',
  interest_rate   decimal(9,6)                 comment 'Nominal rate a year',
  features        map<string,string>           comment 'Optional features of the contract',
  opened_on       date not null disable        comment 'First day',
  closed_on       date                         comment 'Last day',
  constraint pk_account primary key (account_id) disable novalidate rely,
  constraint fk_account_customer_id foreign key (customer_id) references customer (customer_id) disable novalidate,
  constraint fk_account_product_id foreign key (product_id) references product (product_id) disable novalidate,
  constraint fk_account_branch_id foreign key (branch_id) references branch (branch_id) disable novalidate,
  constraint fk_account_ccy foreign key (ccy) references currency (iso_code) disable novalidate,
  constraint fk_account_parent_account foreign key (parent_account) references account (account_id) disable novalidate,
  constraint fk_account_opened_by foreign key (opened_by) references employee (employee_id) disable novalidate,
  constraint fk_account_closed_by foreign key (closed_by) references employee (employee_id) disable novalidate
)
comment 'Current, savings and loan accounts'
stored as orc
location '/warehouse/core.db/account'
tblproperties ('orc.compress'='ZLIB');

create table if not exists account_holder (
  account_id    bigint        comment 'Account',
  holder_id     bigint        comment 'Holder',
  holder_role   varchar(20)   comment 'OWNER, JOINT, AGENT',
  signing_limit decimal(18,2) comment 'Up to which amount alone',
  valid_from    date          comment 'First day',
  valid_to      date          comment 'Last day, null while valid',
  constraint pk_account_holder primary key (account_id, holder_id) disable novalidate rely,
  constraint fk_account_holder_account_id foreign key (account_id) references account (account_id) disable novalidate,
  constraint fk_account_holder_holder_id foreign key (holder_id) references customer (customer_id) disable novalidate
)
comment 'Who may dispose of an account'
stored as orc
location '/warehouse/core.db/account_holder'
tblproperties ('orc.compress'='ZLIB');

create external table if not exists account_balance_daily (
  account_id        bigint                         comment 'Account',
  booked_balance    decimal(18,2) not null disable comment 'After all bookings of the day',
  available_balance decimal(18,2)                  comment 'Booked balance plus free overdraft',
  ccy               char(3)                        comment 'Account currency',
  blocked_amount    decimal(18,2)                  comment 'Reserved by cards and orders',
  constraint pk_account_balance_daily primary key (account_id) disable novalidate rely,
  constraint fk_account_balance_daily_account_id foreign key (account_id) references account (account_id) disable novalidate,
  constraint fk_account_balance_daily_ccy foreign key (ccy) references currency (iso_code) disable novalidate
)
comment 'End-of-day balances'
partitioned by (business_date date comment 'Business day')
stored as parquet
location '/warehouse/core.db/account_balance_daily'
tblproperties ('parquet.compression'='SNAPPY');

create table if not exists booking_code (
  code      varchar(10)  comment 'Booking code',
  code_text varchar(100) comment 'Text on the statement',
  direction char(1)      comment 'D debit, C credit',
  gl_number varchar(12)  comment 'Where it is posted in the ledger',
  constraint pk_booking_code primary key (code) disable novalidate rely,
  constraint fk_booking_code_gl_number foreign key (gl_number) references gl_account (gl_number) disable novalidate
)
comment 'Kinds of bookings'
stored as orc
location '/warehouse/core.db/booking_code'
tblproperties ('orc.compress'='ZLIB');

create table if not exists merchant_category (
  mcc           int          comment 'Category code',
  category_text varchar(120) comment 'Description',
  risk_class    varchar(6)   comment 'LOW, MEDIUM, HIGH',
  is_cash_like  boolean      comment 'Counts as a cash advance',
  constraint pk_merchant_category primary key (mcc) disable novalidate rely
)
comment 'Merchant categories (ISO 18245)'
stored as orc
location '/warehouse/core.db/merchant_category'
tblproperties ('orc.compress'='ZLIB');

create table if not exists merchant (
  merchant_id        bigint                        comment 'Merchant key',
  merchant_name      varchar(100) not null disable comment 'Name on the slip',
  category           int                           comment 'Line of business',
  country_code       char(2)                       comment 'Where it is',
  settlement_account bigint                        comment 'Where we pay to',
  terminals          array<struct<terminal_id:string,installed_on:date,contactless:boolean>> comment 'Terminals we supplied',
  contract_since     date                          comment 'First contract',
  constraint pk_merchant primary key (merchant_id) disable novalidate rely,
  constraint fk_merchant_category foreign key (category) references merchant_category (mcc) disable novalidate,
  constraint fk_merchant_country_code foreign key (country_code) references country (iso2) disable novalidate,
  constraint fk_merchant_settlement_account foreign key (settlement_account) references account (account_id) disable novalidate
)
comment 'Merchants that take our cards'
stored as orc
location '/warehouse/core.db/merchant'
tblproperties ('orc.compress'='ZLIB');

create table if not exists card (
  card_id     bigint        comment 'Card key',
  account_id  bigint        comment 'Account it draws on',
  holder_id   bigint        comment 'Who carries it',
  card_type   varchar(10)   comment 'DEBIT, CREDIT, VIRTUAL',
  pan_token   varchar(64)   comment 'Token in place of the card number',
  replaced_by bigint        comment 'Card that replaced it',
  limits      struct<daily:decimal(10,2),monthly:decimal(12,2),online:decimal(10,2)> comment 'Spending limits',
  wallets     array<string> comment 'Mobile wallets it was added to',
  issued_on   date          comment 'First day',
  expires_on  date          comment 'Last day',
  blocked_at  timestamp     comment 'When it was blocked',
  constraint pk_card primary key (card_id) disable novalidate rely,
  constraint fk_card_account_id foreign key (account_id) references account (account_id) disable novalidate,
  constraint fk_card_holder_id foreign key (holder_id) references customer (customer_id) disable novalidate,
  constraint fk_card_replaced_by foreign key (replaced_by) references card (card_id) disable novalidate
)
comment 'Debit and credit cards'
stored as orc
location '/warehouse/core.db/card'
tblproperties ('orc.compress'='ZLIB');

create external table if not exists transaction (
  transaction_id  bigint                         comment 'Movement key',
  account_id      bigint                         comment 'Account that moved',
  counter_account bigint                         comment 'Other side, where it is with us',
  booking_code    varchar(10)                    comment 'Kind of booking',
  amount          decimal(18,2) not null disable comment 'Signed amount in account currency',
  ccy             char(3)                        comment 'Account currency',
  original_amount decimal(18,2)                  comment 'Amount before conversion',
  original_ccy    char(3)                        comment 'Currency before conversion',
  card_id         bigint                         comment 'Card that was used',
  merchant_id     bigint                         comment 'Where it was used',
  entered_by      bigint                         comment 'Teller, for counter bookings',
  channel         varchar(10)                    comment 'BRANCH, ONLINE, MOBILE, ATM, POS',
  purpose         varchar(280)                   comment 'Remittance text',
  attributes      map<string,string>             comment 'Technical attributes of the channel',
  booked_at       timestamp                      comment 'Time of booking',
  value_date      date                           comment 'Day from which interest counts',
  constraint pk_transaction primary key (transaction_id) disable novalidate rely,
  constraint fk_transaction_account_id foreign key (account_id) references account (account_id) disable novalidate,
  constraint fk_transaction_counter_account foreign key (counter_account) references account (account_id) disable novalidate,
  constraint fk_transaction_booking_code foreign key (booking_code) references booking_code (code) disable novalidate,
  constraint fk_transaction_ccy foreign key (ccy) references currency (iso_code) disable novalidate,
  constraint fk_transaction_original_ccy foreign key (original_ccy) references currency (iso_code) disable novalidate,
  constraint fk_transaction_card_id foreign key (card_id) references card (card_id) disable novalidate,
  constraint fk_transaction_merchant_id foreign key (merchant_id) references merchant (merchant_id) disable novalidate,
  constraint fk_transaction_entered_by foreign key (entered_by) references employee (employee_id) disable novalidate
)
comment 'Booked account movements'
partitioned by (booking_date date comment 'Booking day')
stored as parquet
location '/warehouse/core.db/transaction'
tblproperties ('parquet.compression'='SNAPPY');

create table if not exists payment_scheme (
  scheme_code  varchar(10) comment 'Scheme',
  scheme_name  varchar(80) comment 'Name',
  clearing_ccy char(3)     comment 'Currency it clears in',
  cut_off      varchar(5)  comment 'Local cut-off time',
  is_instant   boolean     comment 'Settles within ten seconds',
  constraint pk_payment_scheme primary key (scheme_code) disable novalidate rely,
  constraint fk_payment_scheme_clearing_ccy foreign key (clearing_ccy) references currency (iso_code) disable novalidate
)
comment 'Ways to clear payments'
stored as orc
location '/warehouse/core.db/payment_scheme'
tblproperties ('orc.compress'='ZLIB');

create external table if not exists payment (
  payment_id        bigint                         comment 'Payment key',
  debtor_account    bigint                         comment 'Who pays',
  creditor_account  bigint                         comment 'Who receives, where it is with us',
  creditor_iban     varchar(34)                    comment 'Who receives',
  amount            decimal(18,2) not null disable comment 'Ordered amount',
  payment_ccy       char(3)                        comment 'Currency of the order',
  scheme            varchar(10)                    comment 'How it was cleared',
  submitted_by      bigint                         comment 'Who entered it, for paper orders',
  approved_by       bigint                         comment 'Second pair of eyes',
  mandate_reference varchar(35)                    comment 'Direct debit mandate',
  status_history    array<struct<status:string,at:timestamp,reason:string>> comment 'Every status it went through',
  end_to_end_id     varchar(35)                    comment 'Reference of the ordering party',
  submitted_at      timestamp                      comment 'When it came in',
  constraint pk_payment primary key (payment_id) disable novalidate rely,
  constraint fk_payment_debtor_account foreign key (debtor_account) references account (account_id) disable novalidate,
  constraint fk_payment_creditor_account foreign key (creditor_account) references account (account_id) disable novalidate,
  constraint fk_payment_payment_ccy foreign key (payment_ccy) references currency (iso_code) disable novalidate,
  constraint fk_payment_scheme foreign key (scheme) references payment_scheme (scheme_code) disable novalidate,
  constraint fk_payment_submitted_by foreign key (submitted_by) references employee (employee_id) disable novalidate,
  constraint fk_payment_approved_by foreign key (approved_by) references employee (employee_id) disable novalidate
)
comment 'Outgoing and incoming payment orders'
partitioned by (execution_date date comment 'Day of execution')
stored as parquet
location '/warehouse/core.db/payment'
tblproperties ('parquet.compression'='SNAPPY');

create table if not exists standing_order (
  order_id        bigint        comment 'Order key',
  debtor_account  bigint        comment 'Who pays',
  creditor_iban   varchar(34)   comment 'Who receives',
  amount          decimal(18,2) comment 'Amount of each payment',
  order_ccy       char(3)       comment 'Currency',
  frequency       varchar(10)   comment 'WEEKLY, MONTHLY, QUARTERLY, YEARLY',
  captured_by     bigint        comment 'Who entered it',
  first_execution date          comment 'First payment',
  last_execution  date          comment 'Last payment, null when open-ended',
  next_execution  date          comment 'Next payment',
  constraint pk_standing_order primary key (order_id) disable novalidate rely,
  constraint fk_standing_order_debtor_account foreign key (debtor_account) references account (account_id) disable novalidate,
  constraint fk_standing_order_order_ccy foreign key (order_ccy) references currency (iso_code) disable novalidate,
  constraint fk_standing_order_captured_by foreign key (captured_by) references employee (employee_id) disable novalidate
)
comment 'Recurring payments'
stored as orc
location '/warehouse/core.db/standing_order'
tblproperties ('orc.compress'='ZLIB');

create table if not exists loan (
  loan_id        bigint                         comment 'Loan key',
  account_id     bigint                         comment 'Loan account',
  borrower_id    bigint                         comment 'Borrower',
  guarantor_id   bigint                         comment 'Guarantor',
  product_id     int                            comment 'Loan product',
  granted_by     bigint                         comment 'Who decided',
  principal      decimal(15,2) not null disable comment 'Amount at pay-out',
  loan_ccy       char(3)                        comment 'Currency',
  nominal_rate   decimal(9,6)                   comment 'Nominal rate a year',
  effective_rate decimal(9,6)                   comment 'Effective rate a year',
  term_months    int                            comment 'Agreed term',
  loan_purpose   varchar(40)                    comment 'Use of funds',
  covenants      array<struct<name:string,threshold:double,tested_on:date>> comment 'Covenants and their last test',
  paid_out_on    date                           comment 'Day of pay-out',
  matures_on     date                           comment 'Last instalment',
  constraint pk_loan primary key (loan_id) disable novalidate rely,
  constraint fk_loan_account_id foreign key (account_id) references account (account_id) disable novalidate,
  constraint fk_loan_borrower_id foreign key (borrower_id) references customer (customer_id) disable novalidate,
  constraint fk_loan_guarantor_id foreign key (guarantor_id) references customer (customer_id) disable novalidate,
  constraint fk_loan_product_id foreign key (product_id) references product (product_id) disable novalidate,
  constraint fk_loan_granted_by foreign key (granted_by) references employee (employee_id) disable novalidate,
  constraint fk_loan_loan_ccy foreign key (loan_ccy) references currency (iso_code) disable novalidate
)
comment 'Consumer loans and mortgages'
stored as orc
location '/warehouse/core.db/loan'
tblproperties ('orc.compress'='ZLIB');

create table if not exists loan_instalment (
  loan_id       bigint                comment 'Loan',
  instalment_no int                   comment 'Number in the plan',
  due_on        date not null disable comment 'Due day',
  principal_due decimal(18,2)         comment 'Repayment part',
  interest_due  decimal(18,2)         comment 'Interest part',
  paid_with     bigint                comment 'Movement that paid it',
  paid_on       date                  comment 'When it was paid',
  constraint pk_loan_instalment primary key (loan_id, instalment_no) disable novalidate rely,
  constraint fk_loan_instalment_loan_id foreign key (loan_id) references loan (loan_id) disable novalidate,
  constraint fk_loan_instalment_paid_with foreign key (paid_with) references transaction (transaction_id) disable novalidate
)
comment 'Repayment plan'
stored as orc
location '/warehouse/core.db/loan_instalment'
tblproperties ('orc.compress'='ZLIB');

create external table if not exists fx_rate (
  base_ccy  char(3)                        comment 'One unit of …',
  quote_ccy char(3)                        comment '… costs this much of',
  rate      decimal(18,8) not null disable comment 'Mid rate',
  provider  varchar(30)                    comment 'Who published it',
  constraint pk_fx_rate primary key (base_ccy, quote_ccy) disable novalidate rely,
  constraint fk_fx_rate_base_ccy foreign key (base_ccy) references currency (iso_code) disable novalidate,
  constraint fk_fx_rate_quote_ccy foreign key (quote_ccy) references currency (iso_code) disable novalidate
)
comment 'Reference rates'
partitioned by (rate_date date comment 'Day of the fixing')
stored as parquet
location '/warehouse/core.db/fx_rate'
tblproperties ('parquet.compression'='SNAPPY');

create table if not exists gl_account (
  gl_number      varchar(12)                   comment 'Ledger account',
  gl_name        varchar(100) not null disable comment 'Name',
  parent_gl      varchar(12)                   comment 'Next level up',
  statement_side char(1)                       comment 'A assets, L liabilities, I income, E expense',
  owner_id       bigint                        comment 'Who answers for it',
  constraint pk_gl_account primary key (gl_number) disable novalidate rely,
  constraint fk_gl_account_parent_gl foreign key (parent_gl) references gl_account (gl_number) disable novalidate,
  constraint fk_gl_account_owner_id foreign key (owner_id) references employee (employee_id) disable novalidate
)
comment 'Chart of accounts'
stored as orc
location '/warehouse/core.db/gl_account'
tblproperties ('orc.compress'='ZLIB');

create external table if not exists gl_posting (
  posting_id         bigint                         comment 'Posting key',
  debit_gl           varchar(12)                    comment 'Debited ledger account',
  credit_gl          varchar(12)                    comment 'Credited ledger account',
  source_transaction bigint                         comment 'Movement it stems from',
  amount             decimal(18,2) not null disable comment 'Amount in ledger currency',
  ledger_ccy         char(3)                        comment 'Ledger currency',
  posted_by          bigint                         comment 'User, for manual postings',
  cost_centre        int                            comment 'Cost centre',
  constraint pk_gl_posting primary key (posting_id) disable novalidate rely,
  constraint fk_gl_posting_debit_gl foreign key (debit_gl) references gl_account (gl_number) disable novalidate,
  constraint fk_gl_posting_credit_gl foreign key (credit_gl) references gl_account (gl_number) disable novalidate,
  constraint fk_gl_posting_source_transaction foreign key (source_transaction) references transaction (transaction_id) disable novalidate,
  constraint fk_gl_posting_ledger_ccy foreign key (ledger_ccy) references currency (iso_code) disable novalidate,
  constraint fk_gl_posting_posted_by foreign key (posted_by) references employee (employee_id) disable novalidate
)
comment 'Postings to the ledger'
partitioned by (posting_date date comment 'Posting day')
stored as parquet
location '/warehouse/core.db/gl_posting'
tblproperties ('parquet.compression'='SNAPPY');

create table if not exists atm (
  atm_id       bigint      comment 'Machine key',
  located_at   bigint      comment 'Branch that fills it',
  maker        varchar(40) comment 'Maker',
  cassettes    array<struct<denomination:int,notes:int>> comment 'Cassettes and their content',
  installed_on date        comment 'First day',
  constraint pk_atm primary key (atm_id) disable novalidate rely,
  constraint fk_atm_located_at foreign key (located_at) references branch (branch_id) disable novalidate
)
comment 'Cash machines'
stored as orc
location '/warehouse/core.db/atm'
tblproperties ('orc.compress'='ZLIB');

create external table if not exists atm_withdrawal (
  withdrawal_id bigint                         comment 'Withdrawal key',
  machine_id    bigint                         comment 'Machine',
  card_id       bigint                         comment 'Card',
  booked_as     bigint                         comment 'Account movement',
  amount        decimal(12,2) not null disable comment 'Notes paid out',
  withdrawn_at  timestamp                      comment 'Time',
  constraint pk_atm_withdrawal primary key (withdrawal_id) disable novalidate rely,
  constraint fk_atm_withdrawal_machine_id foreign key (machine_id) references atm (atm_id) disable novalidate,
  constraint fk_atm_withdrawal_card_id foreign key (card_id) references card (card_id) disable novalidate,
  constraint fk_atm_withdrawal_booked_as foreign key (booked_as) references transaction (transaction_id) disable novalidate
)
comment 'Withdrawals at our machines'
partitioned by (business_date date comment 'Business day')
stored as parquet
location '/warehouse/core.db/atm_withdrawal'
tblproperties ('parquet.compression'='SNAPPY');

create view if not exists v_active_customer
comment 'Customers with at least one open account'
as
select c.customer_id,
       c.customer_no,
       concat_ws(' ', c.first_name, c.last_name) as full_name,
       c.segment_code,
       b.branch_name as home_branch_name,
       count(a.account_id) as open_accounts,
       min(a.opened_on) as customer_since
  from customer c
  join account a on a.customer_id = c.customer_id and a.status = 'OPEN'
  left outer join branch b on b.branch_id = c.home_branch
 where c.left_on is null
 group by c.customer_id, c.customer_no, concat_ws(' ', c.first_name, c.last_name), c.segment_code, b.branch_name;

create view if not exists v_account_overview
comment 'Accounts with their holder, product and last balance'
as
select a.account_id,
       a.iban,
       c.customer_no,
       c.last_name as holder_name,
       p.product_name,
       d.booked_balance,
       d.available_balance,
       case when d.booked_balance < 0 then 'OVERDRAWN' when a.status = 'DORMANT' then 'DORMANT' else 'NORMAL' end as account_state,
       cast(a.interest_rate as decimal(9,4)) as interest_rate,
       d.business_date
  from account a
  join customer c on c.customer_id = a.customer_id
  join product p on p.product_id = a.product_id
  left outer join account_balance_daily d on d.account_id = a.account_id;

create view if not exists v_card_spending
comment 'Card spending a month and category'
as
select k.holder_id,
       m.category as mcc,
       g.category_text,
       date_format(t.booked_at, 'yyyy-MM') as spending_month,
       sum(t.amount) as spent,
       count(*) as purchases
  from transaction t
  join card k on k.card_id = t.card_id
  join merchant m on m.merchant_id = t.merchant_id
  join merchant_category g on g.mcc = m.category
 where t.channel = 'POS'
 group by k.holder_id, m.category, g.category_text, date_format(t.booked_at, 'yyyy-MM');

create view if not exists v_loan_arrears
comment 'Instalments that are overdue'
as
with overdue as (
  select i.loan_id, i.due_on, i.principal_due + i.interest_due as amount_due, datediff(current_date, i.due_on) as days_late
    from loan_instalment i
   where i.paid_on is null and i.due_on < current_date
)
select l.loan_id,
       l.borrower_id,
       c.customer_no,
       sum(o.amount_due) as amount_overdue,
       max(o.days_late) as days_late,
       count(*) as instalments_overdue
  from overdue o
  join loan l on l.loan_id = o.loan_id
  join customer c on c.customer_id = l.borrower_id
 group by l.loan_id, l.borrower_id, c.customer_no;

create view if not exists v_latest_fx
comment 'The latest rate of each pair'
as
select x.base_ccy, x.quote_ccy, x.rate, x.rate_date
  from (select f.base_ccy, f.quote_ccy, f.rate, f.rate_date,
               row_number() over (partition by f.base_ccy, f.quote_ccy order by f.rate_date desc) as recency
          from fx_rate f) x
 where x.recency = 1;

create view if not exists v_trial_balance
comment 'Debits and credits of each ledger account'
as
select g.gl_number, g.gl_name, u.side, sum(u.amount) as total
  from (select p.debit_gl as gl_number, 'D' as side, p.amount from gl_posting p
        union all
        select p.credit_gl as gl_number, 'C' as side, p.amount from gl_posting p) u
  join gl_account g on g.gl_number = u.gl_number
 group by g.gl_number, g.gl_name, u.side;

create view if not exists v_atm_usage
comment 'Withdrawals a machine and day'
as
select m.atm_id,
       b.branch_name,
       w.business_date,
       sum(w.amount) as paid_out,
       count(distinct w.card_id) as cards
  from atm_withdrawal w
  join atm m on m.atm_id = w.machine_id
  join branch b on b.branch_id = m.located_at
 group by m.atm_id, b.branch_name, w.business_date;

-- Campaigns, leads, web behaviour and loyalty
-- Export of 2025-11-03

create database if not exists marketing comment 'Campaigns, leads, web behaviour and loyalty' location '/warehouse/marketing.db';

use marketing;

create table if not exists channel (
  code             varchar(8)                   comment 'Channel',
  channel_name     varchar(30) not null disable comment 'Name',
  is_digital       boolean                      comment 'Digital or not',
  cost_per_contact decimal(6,2)                 comment 'Cost in euro',
  constraint pk_channel primary key (code) disable novalidate rely
)
comment 'Channels we talk to people through'
stored as orc
location '/warehouse/marketing.db/channel'
tblproperties ('orc.compress'='ZLIB');

create table if not exists segment (
  segment_id     int                          comment 'Segment key',
  segment_name   varchar(40) not null disable comment 'Name',
  parent_segment int                          comment 'Wider segment',
  definition     string                       comment 'Rule in words',
  criteria       map<string,string>           comment 'Rule as attribute to condition',
  curated_by     int                          comment 'Who maintains it',
  refreshed_on   string                       comment 'Last refresh',
  constraint pk_segment primary key (segment_id) disable novalidate rely,
  constraint fk_segment_parent_segment foreign key (parent_segment) references segment (segment_id) disable novalidate,
  constraint fk_segment_curated_by foreign key (curated_by) references core.employee (employee_id) disable novalidate
)
comment 'Target groups'
stored as orc
location '/warehouse/marketing.db/segment'
tblproperties ('orc.compress'='ZLIB');

create external table if not exists segment_member (
  segment_id int   comment 'Segment',
  member_id  int   comment 'Customer',
  propensity float comment 'Propensity to buy',
  constraint pk_segment_member primary key (segment_id, member_id) disable novalidate rely,
  constraint fk_segment_member_segment_id foreign key (segment_id) references segment (segment_id) disable novalidate,
  constraint fk_segment_member_member_id foreign key (member_id) references core.customer (customer_id) disable novalidate
)
comment 'Who belongs to which segment'
partitioned by (snapshot_date date comment 'Day of the snapshot')
stored as parquet
location '/warehouse/marketing.db/segment_member'
tblproperties ('parquet.compression'='SNAPPY');

create table if not exists campaign (
  campaign_id      int                          comment 'Campaign key',
  campaign_name    varchar(60) not null disable comment 'Name',
  parent_campaign  int                          comment 'Umbrella campaign',
  owner            int                          comment 'Who runs it',
  promoted_product int                          comment 'What it sells',
  target_segment   int                          comment 'Whom it addresses',
  main_channel     varchar(8)                   comment 'Main channel',
  budget           decimal(10,2)                comment 'Approved budget',
  budget_ccy       char(3)                      comment 'Currency of the budget',
  goals            map<string,double>           comment 'Target figures',
  starts_on        date                         comment 'First day',
  ends_on          date                         comment 'Last day',
  constraint pk_campaign primary key (campaign_id) disable novalidate rely,
  constraint fk_campaign_parent_campaign foreign key (parent_campaign) references campaign (campaign_id) disable novalidate,
  constraint fk_campaign_owner foreign key (owner) references core.employee (employee_id) disable novalidate,
  constraint fk_campaign_promoted_product foreign key (promoted_product) references core.product (product_id) disable novalidate,
  constraint fk_campaign_target_segment foreign key (target_segment) references segment (segment_id) disable novalidate,
  constraint fk_campaign_main_channel foreign key (main_channel) references channel (code) disable novalidate,
  constraint fk_campaign_budget_ccy foreign key (budget_ccy) references core.currency (iso_code) disable novalidate
)
comment 'Campaigns'
stored as orc
location '/warehouse/marketing.db/campaign'
tblproperties ('orc.compress'='ZLIB');

create table if not exists budget_line (
  line_id     int           comment 'Line key',
  campaign_id int           comment 'Campaign',
  charged_to  varchar(12)   comment 'Ledger account',
  approved_by int           comment 'Who approved it',
  planned     decimal(10,2) comment 'Plan',
  actual      decimal(10,2) comment 'Spent',
  supplier    varchar(60)   comment 'Who was paid',
  constraint pk_budget_line primary key (line_id) disable novalidate rely,
  constraint fk_budget_line_campaign_id foreign key (campaign_id) references campaign (campaign_id) disable novalidate,
  constraint fk_budget_line_charged_to foreign key (charged_to) references core.gl_account (gl_number) disable novalidate,
  constraint fk_budget_line_approved_by foreign key (approved_by) references core.employee (employee_id) disable novalidate
)
comment 'Planned and actual cost'
stored as orc
location '/warehouse/marketing.db/budget_line'
tblproperties ('orc.compress'='ZLIB');

create table if not exists offer (
  offer_id       int         comment 'Offer key',
  campaign_id    int         comment 'Campaign',
  product_id     int         comment 'Product',
  headline       varchar(60) comment 'Headline',
  conditions     struct<rate:double,bonus:decimal(8,2),valid_days:int> comment 'Conditions',
  replaces_offer int         comment 'Earlier offer',
  valid_from     date        comment 'First day',
  valid_to       date        comment 'Last day',
  constraint pk_offer primary key (offer_id) disable novalidate rely,
  constraint fk_offer_campaign_id foreign key (campaign_id) references campaign (campaign_id) disable novalidate,
  constraint fk_offer_product_id foreign key (product_id) references core.product (product_id) disable novalidate,
  constraint fk_offer_replaces_offer foreign key (replaces_offer) references offer (offer_id) disable novalidate
)
comment 'Offers made in campaigns'
stored as orc
location '/warehouse/marketing.db/offer'
tblproperties ('orc.compress'='ZLIB');

create external table if not exists offer_response (
  response_id    bigint      comment 'Response key',
  offer_id       int         comment 'Offer',
  responder      int         comment 'Who answered',
  via_channel    varchar(8)  comment 'Channel',
  opened_account int         comment 'Account that came of it',
  answer         varchar(10) comment 'YES, NO, LATER',
  answered_at    timestamp   comment 'When',
  constraint pk_offer_response primary key (response_id) disable novalidate rely,
  constraint fk_offer_response_offer_id foreign key (offer_id) references offer (offer_id) disable novalidate,
  constraint fk_offer_response_responder foreign key (responder) references core.customer (customer_id) disable novalidate,
  constraint fk_offer_response_via_channel foreign key (via_channel) references channel (code) disable novalidate,
  constraint fk_offer_response_opened_account foreign key (opened_account) references core.account (account_id) disable novalidate
)
comment 'Answers to offers'
partitioned by (response_date date comment 'Day of the answer')
stored as parquet
location '/warehouse/marketing.db/offer_response'
tblproperties ('parquet.compression'='SNAPPY');

create external table if not exists contact_event (
  event_id         bigint      comment 'Event key',
  contacted        int         comment 'Who',
  campaign_id      int         comment 'Campaign',
  channel_code     varchar(8)  comment 'Channel',
  agent            int         comment 'Who called, for calls',
  duration_seconds smallint    comment 'Duration',
  outcome          varchar(16) comment 'Result',
  notes            string      comment 'Free text',
  constraint pk_contact_event primary key (event_id) disable novalidate rely,
  constraint fk_contact_event_contacted foreign key (contacted) references core.customer (customer_id) disable novalidate,
  constraint fk_contact_event_campaign_id foreign key (campaign_id) references campaign (campaign_id) disable novalidate,
  constraint fk_contact_event_channel_code foreign key (channel_code) references channel (code) disable novalidate,
  constraint fk_contact_event_agent foreign key (agent) references core.employee (employee_id) disable novalidate
)
comment 'Contacts with customers'
partitioned by (contact_date date comment 'Day of the contact')
stored as parquet
location '/warehouse/marketing.db/contact_event'
tblproperties ('parquet.compression'='SNAPPY');

create external table if not exists mailing (
  mailing_id   bigint                                  comment 'Mailing key',
  campaign_id  int                                     comment 'Campaign',
  recipient    int                                     comment 'To whom',
  address_used int                                     comment 'To which address',
  template_id  int                                     comment 'Text',
  opened       tinyint                                 comment 'Opened at least once',
  clicks       array<struct<link:string,at:timestamp>> comment 'Links that were clicked',
  bounced_code varchar(6)                              comment 'Code of the bounce',
  constraint pk_mailing primary key (mailing_id) disable novalidate rely,
  constraint fk_mailing_campaign_id foreign key (campaign_id) references campaign (campaign_id) disable novalidate,
  constraint fk_mailing_recipient foreign key (recipient) references core.customer (customer_id) disable novalidate,
  constraint fk_mailing_address_used foreign key (address_used) references core.customer_contact (contact_id) disable novalidate,
  constraint fk_mailing_template_id foreign key (template_id) references template (template_id) disable novalidate
)
comment 'E-mails sent'
partitioned by (send_date date comment 'Day of sending')
stored as parquet
location '/warehouse/marketing.db/mailing'
tblproperties ('parquet.compression'='SNAPPY');

create table if not exists template (
  template_id   int                          comment 'Template key',
  template_name varchar(40) not null disable comment 'Name',
  language      char(2)                      comment 'ISO 639 code',
  written_by    int                          comment 'Author',
  derived_from  int                          comment 'Template it is based on',
  body          string                       comment 'Text',
  placeholders  array<string>                comment 'Fields to fill in',
  constraint pk_template primary key (template_id) disable novalidate rely,
  constraint fk_template_written_by foreign key (written_by) references core.employee (employee_id) disable novalidate,
  constraint fk_template_derived_from foreign key (derived_from) references template (template_id) disable novalidate
)
comment 'Texts of mails and letters'
stored as orc
location '/warehouse/marketing.db/template'
tblproperties ('orc.compress'='ZLIB');

create table if not exists visitor (
  visitor_id    bigint              comment 'Visitor key',
  cookie_hash   char(40)            comment 'Hash of the cookie',
  known_as      int                 comment 'Customer, once logged in',
  first_seen_in char(2)             comment 'Country of the first visit',
  first_seen    timestamp           comment 'First visit',
  consents      map<string,boolean> comment 'Purpose to consent',
  constraint pk_visitor primary key (visitor_id) disable novalidate rely,
  constraint fk_visitor_known_as foreign key (known_as) references core.customer (customer_id) disable novalidate,
  constraint fk_visitor_first_seen_in foreign key (first_seen_in) references core.country (iso2) disable novalidate
)
comment 'Visitors of the web site'
stored as orc
location '/warehouse/marketing.db/visitor'
tblproperties ('orc.compress'='ZLIB');

create table if not exists page (
  page_id      int                           comment 'Page key',
  url          varchar(200) not null disable comment 'Address',
  page_title   varchar(80)                   comment 'Title',
  promotes     int                           comment 'Product it is about',
  parent_page  int                           comment 'Page above',
  published_by int                           comment 'Editor',
  constraint pk_page primary key (page_id) disable novalidate rely,
  constraint fk_page_promotes foreign key (promotes) references core.product (product_id) disable novalidate,
  constraint fk_page_parent_page foreign key (parent_page) references page (page_id) disable novalidate,
  constraint fk_page_published_by foreign key (published_by) references core.employee (employee_id) disable novalidate
)
comment 'Pages of the web site'
stored as orc
location '/warehouse/marketing.db/page'
tblproperties ('orc.compress'='ZLIB');

create external table if not exists web_session (
  session_id   bigint    comment 'Session key',
  visitor_id   bigint    comment 'Who',
  landing_page int       comment 'First page',
  exit_page    int       comment 'Last page',
  campaign_hit int       comment 'Campaign that led here',
  device       struct<kind:string,os:string,browser:string> comment 'Device',
  page_views   smallint  comment 'Pages seen',
  started_at   timestamp comment 'Start',
  ended_at     timestamp comment 'End',
  constraint pk_web_session primary key (session_id) disable novalidate rely,
  constraint fk_web_session_visitor_id foreign key (visitor_id) references visitor (visitor_id) disable novalidate,
  constraint fk_web_session_landing_page foreign key (landing_page) references page (page_id) disable novalidate,
  constraint fk_web_session_exit_page foreign key (exit_page) references page (page_id) disable novalidate,
  constraint fk_web_session_campaign_hit foreign key (campaign_hit) references campaign (campaign_id) disable novalidate
)
comment 'Visits'
partitioned by (session_date date comment 'Day of the visit')
stored as parquet
location '/warehouse/marketing.db/web_session'
tblproperties ('parquet.compression'='SNAPPY');

create external table if not exists page_view (
  view_id      bigint    comment 'View key',
  session_id   bigint    comment 'Session',
  page_id      int       comment 'Page',
  referrer     int       comment 'Page before',
  milliseconds int       comment 'Time on the page',
  viewed_at    timestamp comment 'When',
  constraint pk_page_view primary key (view_id) disable novalidate rely,
  constraint fk_page_view_session_id foreign key (session_id) references web_session (session_id) disable novalidate,
  constraint fk_page_view_page_id foreign key (page_id) references page (page_id) disable novalidate,
  constraint fk_page_view_referrer foreign key (referrer) references page (page_id) disable novalidate
)
comment 'Pages seen'
partitioned by (view_date date comment 'Day')
stored as parquet
location '/warehouse/marketing.db/page_view'
tblproperties ('parquet.compression'='SNAPPY');

create table if not exists lead (
  lead_id          int                     comment 'Lead key',
  full_name        varchar(60)             comment 'Name',
  phone            varchar(20)             comment 'Phone',
  source_campaign  int                     comment 'Where it came from',
  assigned_to      int                     comment 'Who follows up',
  preferred_branch int                     comment 'Branch of interest',
  wanted_product   int                     comment 'Product of interest',
  converted_to     int                     comment 'Customer it became',
  score            int                     comment 'Lead score',
  lead_status      varchar(10)             comment 'NEW, OPEN, WON, LOST',
  created_on       string not null disable comment 'Day',
  constraint pk_lead primary key (lead_id) disable novalidate rely,
  constraint fk_lead_source_campaign foreign key (source_campaign) references campaign (campaign_id) disable novalidate,
  constraint fk_lead_assigned_to foreign key (assigned_to) references core.employee (employee_id) disable novalidate,
  constraint fk_lead_preferred_branch foreign key (preferred_branch) references core.branch (branch_id) disable novalidate,
  constraint fk_lead_wanted_product foreign key (wanted_product) references core.product (product_id) disable novalidate,
  constraint fk_lead_converted_to foreign key (converted_to) references core.customer (customer_id) disable novalidate
)
comment 'People who may become customers'
stored as orc
location '/warehouse/marketing.db/lead'
tblproperties ('orc.compress'='ZLIB');

create table if not exists consent (
  consent_id   int                          comment 'Consent key',
  given_by     int                          comment 'Who',
  purpose      varchar(20) not null disable comment 'Purpose',
  channel_code varchar(8)                   comment 'Channel',
  collected_by int                          comment 'Who collected it',
  is_granted   boolean                      comment 'Granted or objected',
  valid_from   timestamp                    comment 'From when',
  constraint pk_consent primary key (consent_id) disable novalidate rely,
  constraint fk_consent_given_by foreign key (given_by) references core.customer (customer_id) disable novalidate,
  constraint fk_consent_channel_code foreign key (channel_code) references channel (code) disable novalidate,
  constraint fk_consent_collected_by foreign key (collected_by) references core.employee (employee_id) disable novalidate
)
comment 'Consents and objections'
stored as orc
location '/warehouse/marketing.db/consent'
tblproperties ('orc.compress'='ZLIB');

create table if not exists survey (
  survey_id     int                               comment 'Survey key',
  survey_title  varchar(60) not null disable      comment 'Title',
  designed_by   int                               comment 'Who designed it',
  about_product int                               comment 'Product it asks about',
  questions     array<struct<no:int,text:string>> comment 'Questions',
  opened_on     date                              comment 'First day',
  constraint pk_survey primary key (survey_id) disable novalidate rely,
  constraint fk_survey_designed_by foreign key (designed_by) references core.employee (employee_id) disable novalidate,
  constraint fk_survey_about_product foreign key (about_product) references core.product (product_id) disable novalidate
)
comment 'Surveys'
stored as orc
location '/warehouse/marketing.db/survey'
tblproperties ('orc.compress'='ZLIB');

create external table if not exists survey_answer (
  answer_id    bigint          comment 'Answer key',
  survey_id    int             comment 'Survey',
  respondent   int             comment 'Who',
  answers      map<int,string> comment 'Question number to answer',
  net_promoter tinyint         comment '0 to 10',
  constraint pk_survey_answer primary key (answer_id) disable novalidate rely,
  constraint fk_survey_answer_survey_id foreign key (survey_id) references survey (survey_id) disable novalidate,
  constraint fk_survey_answer_respondent foreign key (respondent) references core.customer (customer_id) disable novalidate
)
comment 'Answers to surveys'
partitioned by (answer_date date comment 'Day')
stored as parquet
location '/warehouse/marketing.db/survey_answer'
tblproperties ('parquet.compression'='SNAPPY');

create table if not exists loyalty_account (
  loyalty_id  int        comment 'Membership key',
  member_id   int        comment 'Member',
  linked_card int        comment 'Card that collects',
  tier        varchar(8) comment 'BASIC, SILVER, GOLD',
  points      int        comment 'Balance',
  joined_on   date       comment 'First day',
  constraint pk_loyalty_account primary key (loyalty_id) disable novalidate rely,
  constraint fk_loyalty_account_member_id foreign key (member_id) references core.customer (customer_id) disable novalidate,
  constraint fk_loyalty_account_linked_card foreign key (linked_card) references core.card (card_id) disable novalidate
)
comment 'Bonus programme'
stored as orc
location '/warehouse/marketing.db/loyalty_account'
tblproperties ('orc.compress'='ZLIB');

create external table if not exists loyalty_movement (
  movement_id bigint               comment 'Movement key',
  loyalty_id  int                  comment 'Membership',
  earned_with bigint               comment 'Card payment',
  partner     int                  comment 'Partner',
  points      int not null disable comment 'Points, negative when spent',
  constraint pk_loyalty_movement primary key (movement_id) disable novalidate rely,
  constraint fk_loyalty_movement_loyalty_id foreign key (loyalty_id) references loyalty_account (loyalty_id) disable novalidate,
  constraint fk_loyalty_movement_earned_with foreign key (earned_with) references core.transaction (transaction_id) disable novalidate,
  constraint fk_loyalty_movement_partner foreign key (partner) references core.merchant (merchant_id) disable novalidate
)
comment 'Points collected and spent'
partitioned by (movement_date date comment 'Day')
stored as parquet
location '/warehouse/marketing.db/loyalty_movement'
tblproperties ('parquet.compression'='SNAPPY');

create table if not exists newsletter_2019 (
  email         varchar(80) comment 'Address',
  customer_id   int         comment 'Customer',
  subscribed_on string      comment 'Day',
  constraint pk_newsletter_2019 primary key (email) disable novalidate rely,
  constraint fk_newsletter_2019_customer_id foreign key (customer_id) references core.customer (customer_id) disable novalidate
)
comment 'Subscribers of the old newsletter'
stored as orc
location '/warehouse/marketing.db/newsletter_2019'
tblproperties ('orc.compress'='ZLIB');

create view if not exists v_campaign_performance
comment 'Contacts, answers and won accounts of campaigns'
as
select c.campaign_id,
       c.campaign_name,
       count(distinct r.response_id) as responses,
       count(distinct r.opened_account) as accounts_opened,
       c.budget,
       case when count(distinct r.opened_account) > 0 then c.budget / count(distinct r.opened_account) else null end as cost_per_account
  from campaign c
  join offer o on o.campaign_id = c.campaign_id
  left outer join offer_response r on r.offer_id = o.offer_id
 group by c.campaign_id, c.campaign_name, c.budget;

create view if not exists v_reachable_customer
comment 'Whom we may contact, and how'
as
select u.customer_id,
       u.customer_no,
       k.channel_code,
       h.channel_name,
       k.valid_from as consented_since
  from core.customer u
  join consent k on k.given_by = u.customer_id and k.is_granted
  join channel h on h.code = k.channel_code
 where u.left_on is null;

create view if not exists v_lead_funnel
comment 'Leads a branch and status'
as
select b.branch_name,
       l.lead_status,
       count(*) as leads,
       avg(l.score) as average_score,
       sum(if(l.converted_to is not null, 1, 0)) as converted
  from lead l
  join core.branch b on b.branch_id = l.preferred_branch
 group by b.branch_name, l.lead_status;

create view if not exists v_session_path
comment 'Pages of a session in order'
as
select v.session_id,
       s.visitor_id,
       p.url,
       v.viewed_at,
       lag(p.url, 1) over (partition by v.session_id order by v.viewed_at) as previous_url,
       v.milliseconds / 1000 as seconds
  from page_view v
  join web_session s on s.session_id = v.session_id
  join page p on p.page_id = v.page_id;

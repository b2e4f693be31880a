#include "postgres/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <thread>

#include "postgres/schema.h"
#include "postgres/testing/postgres_server.h"
#include "postgres/testing/silent_server.h"
#include "postgres/url.h"

namespace aio {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(PostgresUrlTest, IsShownWithoutItsPassword) {
  EXPECT_EQ(PostgresUrlToShow("postgresql://aio:s3cret@db.example:5433/log?sslmode=verify-full"),
            "postgresql://aio@db.example:5433/log");
  EXPECT_EQ(PostgresUrlToShow("postgres://db.example/log?user=aio&password=s3cret"),
            "postgresql://aio@db.example/log");
  EXPECT_EQ(PostgresUrlToShow("postgresql://aio:s3cret@/log?host=/run/postgresql"),
            "postgresql://aio@/log?host=/run/postgresql");
  EXPECT_EQ(PostgresUrlToShow("postgresql://aio:s3cret@a:b:c/"), "postgresql://");
}

TEST(PostgresUrlTest, WhatIsNoneIsRefusedUnseen) {
  EXPECT_TRUE(CheckPostgresUrl("postgresql://aio:s3cret@db.example/log").ok());
  for (const char* wrong : {"postgresql://aio:s3cret@a:b:c/", "postgresql://aio:x@s3cret@a/log",
                            "postgresql://aio:1/s3cret@a/log", "mysql://aio:s3cret@a/log",
                            "postgresql://aio:s3cret@a/log?s3cret=1", ""}) {
    const Status refused = CheckPostgresUrl(wrong);
    EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument) << wrong;
    EXPECT_THAT(refused.message(), Not(HasSubstr("s3cret")));
  }
}

TEST(PostgresValueTest, ArraysQuoteWhatIsSpecial) {
  EXPECT_EQ(PostgresArray({}), "{}");
  EXPECT_EQ(PostgresArray({"a", std::nullopt, "", "NULL", "x\"y\\z,{}"}),
            R"({"a",NULL,"","NULL","x\"y\\z,{}"})");
}

TEST(PostgresValueTest, TextLosesWhatCannotBeStored) {
  EXPECT_EQ(PostgresText(std::string_view("a\0b", 3)),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(PostgresText("\xFFok"), "\xEF\xBF\xBDok");
}

TEST(PostgresConnectionTest, AServerThatIsNotThereIsAway) {
  const auto connection = PostgresConnection::Open("postgresql://aio:s3cret@/log?host=/nowhere");
  ASSERT_FALSE(connection.ok());
  EXPECT_EQ(connection.status().reason(), kPostgresAway);
  EXPECT_THAT(connection.status().message(), HasSubstr("postgresql://aio@/log?host=/nowhere"));
  EXPECT_THAT(connection.status().message(), Not(HasSubstr("s3cret")));
}

TEST(PostgresConnectionTest, AProgramThatStopsDoesNotWaitForASilentServer) {
  const SilentServer silent;
  const std::atomic<bool> stopping = true;
  // Without it, the test would take hours.
  const auto connection = PostgresConnection::Open(
      "postgresql://aio@/log?connect_timeout=36000&host=" + silent.folder() + "," + silent.folder(),
      {.connect = std::chrono::hours(10), .stopping = &stopping});
  ASSERT_FALSE(connection.ok());
  EXPECT_EQ(connection.status().reason(), kPostgresAway);
  EXPECT_THAT(connection.status().message(), HasSubstr("its time is up"));
}

class PostgresServerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = PostgresServer::Start(); }
  static void TearDownTestSuite() { server_.reset(); }
  void SetUp() override {
    if (server_ == nullptr) GTEST_SKIP() << PostgresServer::kNotInstalled;
    url_ = server_->NewDatabase();
  }
  std::unique_ptr<PostgresConnection> Open(const PostgresTimes& times = {}) {
    auto connection = PostgresConnection::Open(url_, times);
    EXPECT_TRUE(connection.ok()) << connection.status().ToString();
    return connection.ok() ? *std::move(connection) : nullptr;
  }

  static inline std::unique_ptr<PostgresServer> server_;
  std::string url_;
};

TEST_F(PostgresServerTest, ValuesComeBackAsTheyWere) {
  const auto connection = Open();
  const double real = 0.1 + 0.2;
  const std::vector<PostgresValue> texts = {"a,\"b\"\\{}", std::nullopt, "\xC3\xA4\n", ""};
  const auto rows = connection->Run(
      "SELECT $1::float8, $2::float8, t FROM unnest($3::text[]) WITH ORDINALITY AS u(t, n) "
      "ORDER BY n",
      {PostgresNumber(real), PostgresNumber(std::numeric_limits<double>::infinity()),
       PostgresArray(texts)});
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  ASSERT_EQ(rows->size(), 4);
  EXPECT_EQ(rows->Real(0, 0), real);
  EXPECT_TRUE(std::isinf(rows->Real(0, 1)));
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(rows->IsNull(i, 2), !texts[static_cast<size_t>(i)]);
    EXPECT_EQ(rows->Text(i, 2), texts[static_cast<size_t>(i)].value_or(""));
  }
}

TEST_F(PostgresServerTest, FaultsAreToldApart) {
  const auto connection = Open();
  EXPECT_EQ(connection->Run("SELECT 'x'::int").status().reason(), kPostgresValue);
  EXPECT_EQ(connection->Run("SELEC 1").status().reason(), kPostgresOther);
  EXPECT_TRUE(connection->is_usable()) << "a fault of a statement is none of the connection";
  EXPECT_TRUE(connection->Run("SELECT 1").ok());

  for (const std::string& wrong :
       {server_->UrlOf("test1", "aio", "wr0ng"), server_->UrlOf("test1", "nobody", "right"),
        server_->UrlOf("absent", "aio", "right")}) {
    const Status refused = PostgresConnection::Open(wrong).status();
    EXPECT_EQ(refused.reason(), kPostgresRefuses) << refused.ToString();
    EXPECT_THAT(refused.message(), HasSubstr("check user, password and database"));
    EXPECT_THAT(refused.message(), Not(HasSubstr("wr0ng")));
    EXPECT_THAT(refused.message(), Not(HasSubstr("LOCATION")));
  }
  const Status unnamed =
      PostgresConnection::Open(server_->UrlOf("test1", "aio", "") + "&passfile=/nowhere").status();
  EXPECT_EQ(unnamed.reason(), kPostgresRefuses) << unnamed.ToString();
}

// The server answers, and another time it will do: nothing of it is the configuration's.
TEST_F(PostgresServerTest, AServerThatCannotJustNowIsAway) {
  ASSERT_TRUE(
      Open()->RunScript("CREATE ROLE crowd LOGIN PASSWORD 'crowd' CONNECTION LIMIT 0;").ok());
  const std::string refused = server_->UrlOf("test1", "aio", "wr0ng");
  const std::string elsewhere = refused.substr(0, refused.find("host=")) + "host=/nowhere,";
  for (const std::string& url :
       {server_->UrlOf("test1", "crowd", "crowd"), url_ + "&target_session_attrs=standby",
        elsewhere + refused.substr(refused.find("host=") + 5)}) {
    const Status status = PostgresConnection::Open(url).status();
    EXPECT_EQ(status.reason(), kPostgresAway) << status.ToString();
    EXPECT_THAT(status.message(), Not(HasSubstr("check user")));
  }
}

TEST_F(PostgresServerTest, TheNextHostIsAskedWhereOneIsGoneOrSilent) {
  const SilentServer silent;
  const size_t at = url_.find("host=") + 5;
  for (const std::string& others : {silent.folder() + ",/nowhere,", silent.folder() + ","}) {
    for (const char* wanted : {"read-write", "prefer-standby"}) {
      const std::string url = url_.substr(0, at) + others + url_.substr(at) +
                              "&connect_timeout=1&target_session_attrs=" + wanted;
      const auto connection = PostgresConnection::Open(url, {.connect = std::chrono::hours(10)});
      ASSERT_TRUE(connection.ok()) << connection.status().ToString();
      EXPECT_TRUE((*connection)->Run("SELECT 1").ok());
    }
  }
}

TEST_F(PostgresServerTest, NoStatementLastsLongerThanItsTime) {
  const auto short_time = Open({.statement = std::chrono::milliseconds(50)});
  EXPECT_EQ(short_time->Run("SELECT pg_sleep(600)").status().reason(), kPostgresAway);
  EXPECT_TRUE(short_time->Run("SELECT 1").ok());
  // A server that does not even say that the time is up.
  ASSERT_TRUE(short_time->RunScript("SET statement_timeout = 0;").ok());
  EXPECT_THAT(short_time->Run("SELECT pg_sleep(600)").status().message(),
              HasSubstr("does not answer"));
  EXPECT_FALSE(short_time->is_usable());
}

TEST_F(PostgresServerTest, AConnectionIsGoneWithItsServer) {
  const auto connection = Open();
  server_->Kill();
  const Status gone = connection->Run("SELECT 1").status();
  EXPECT_EQ(gone.reason(), kPostgresAway) << gone.ToString();
  EXPECT_EQ(PostgresConnection::Open(url_).status().reason(), kPostgresAway);
  server_->Restart();
  EXPECT_FALSE(connection->is_usable());
  EXPECT_TRUE(Open()->Run("SELECT 1").ok());
}

TEST_F(PostgresServerTest, ManyMakeASchemaOnce) {
  const PostgresSchema schema = {
      .name = "things", .version = 3, .tables = "CREATE TABLE things.t (x int);"};
  const auto reader = Open();
  EXPECT_EQ(CheckSchema(*reader, schema).code(), StatusCode::kNotFound);
  std::vector<std::thread> makers;
  for (int i = 0; i < 8; ++i) {
    makers.emplace_back([&] {
      const Status made = MakeSchema(*Open(), schema);
      EXPECT_TRUE(made.ok()) << made.ToString();
    });
  }
  for (std::thread& maker : makers) maker.join();
  EXPECT_TRUE(CheckSchema(*reader, schema).ok());
}

TEST_F(PostgresServerTest, ASchemaOfAnotherVersionIsRefusedByName) {
  const auto connection = Open();
  PostgresSchema schema = {.name = "things", .version = 3, .tables = "CREATE TABLE things.t ();"};
  ASSERT_TRUE(MakeSchema(*connection, schema).ok());
  schema.version = 2;
  EXPECT_THAT(MakeSchema(*connection, schema).message(),
              HasSubstr("schema 'things' is of version 3, this program knows version 2"));
  EXPECT_EQ(CheckSchema(*connection, schema).message(), MakeSchema(*connection, schema).message());
  ASSERT_TRUE(connection->RunScript("DROP TABLE things.version;").ok());
  EXPECT_THAT(MakeSchema(*connection, schema).message(), HasSubstr("are not this program's"));
}

TEST_F(PostgresServerTest, ADatabaseThatCannotHoldAllTextIsRefused) {
  ASSERT_TRUE(
      Open()->Run("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'").ok());
  auto latin = PostgresConnection::Open(server_->UrlOf("latin", "aio", "right"));
  ASSERT_TRUE(latin.ok());
  EXPECT_THAT(MakeSchema(**latin, {.name = "things", .version = 1, .tables = ";"}).message(),
              HasSubstr("encoding is LATIN1"));
}

TEST_F(PostgresServerTest, WhoMayNotMakeTablesIsTold) {
  ASSERT_TRUE(Open()->RunScript("CREATE ROLE guest LOGIN PASSWORD 'guest';").ok());
  const std::string database =
      url_.substr(url_.find("/test") + 1, url_.find('?') - url_.find("/test") - 1);
  auto guest = PostgresConnection::Open(server_->UrlOf(database, "guest", "guest"));
  ASSERT_TRUE(guest.ok()) << guest.status().ToString();
  const Status refused =
      MakeSchema(**guest, {.name = "things", .version = 1, .tables = "CREATE TABLE things.t ();"});
  EXPECT_EQ(refused.reason(), kPostgresRefuses) << refused.ToString();
}

}  // namespace
}  // namespace aio

using System.Net;
using System.Text.Json;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The endpoints of the service, and their responses.</summary>
public class EndpointTests
{
    private const string NewRoom = "!new:localhost";

    [Theory]
    [InlineData("/_matrix/app/v1")]
    [InlineData("")]
    [InlineData("//_matrix/app/v1")]
    [InlineData("/")]
    public async Task Transactions_users_and_rooms_are_served_at_the_current_and_the_legacy_paths(string root)
    {
        using var service = new ServiceUnderTest(homeserver: CreatesRooms());
        var room = Some.RoomId();

        Assert.Equal((200, "{}"),
            await service.SendAsync(HttpMethod.Put, $"{root}/transactions/1", $"{{\"events\":[{Some.Message(room)}]}}"));
        Assert.Single(service.Record(room));
        Assert.Equal((200, "{}"), await service.SendAsync(HttpMethod.Get, $"{root}/users/%40logging%3Alocalhost"));
        Assert.Equal((200, "{}"), await service.SendAsync(HttpMethod.Get, $"{root}/rooms/%23logged_new%3Alocalhost"));
        Assert.Equal("/_matrix/client/v3/directory/room/%23logged_new%3Alocalhost", Assert.Single(AliasesPut(service)));
    }

    [Theory]
    [InlineData("%40logging%3Alocalhost", 200)]
    [InlineData("@logging:localhost", 200)]
    [InlineData("%40logging2%3Alocalhost", 404)]
    [InlineData("%40Logging%3Alocalhost", 404)]
    [InlineData("%40alice%3Alocalhost", 404)]
    [InlineData("logging", 404)]
    [InlineData("%ff", 404)]
    [InlineData("%40logging%3Alocalhost/", 404)]
    public async Task Only_our_own_user_exists(string user, int expected)
    {
        using var service = new ServiceUnderTest();
        await IdentifyAsync(service);

        var (status, body) = await service.SendAsync(HttpMethod.Get, $"/_matrix/app/v1/users/{user}");

        Assert.Equal((expected, expected == 200 ? null : "M_NOT_FOUND"), (status, Errcode(body)));
    }

    [Theory]
    [InlineData("%40logging%3Alocalhost", 200)]
    [InlineData("%40logging%3A[2001%3Adb8%3A%3A1]%3A8448", 200)]
    [InlineData("%40logging2%3Alocalhost", 404)]
    [InlineData("%40alice%3Alocalhost", 404)]
    [InlineData("%40logging%3A", 404)]
    [InlineData("%40logging%3Alocalhost/", 404)]
    [InlineData("%40logging%3Alocal%20host", 404)]
    public async Task Until_our_user_id_is_known_any_server_name_matches(string user, int expected)
    {
        using var service = new ServiceUnderTest(homeserver: new StubHomeserver().WithoutAliases()
            .On("GET /_matrix/client/v3/account/whoami", 401, """{"errcode":"M_UNKNOWN_TOKEN","error":"Unrecognised access token"}"""));

        Assert.Equal(expected, (await service.SendAsync(HttpMethod.Get, $"/_matrix/app/v1/users/{user}")).Status);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"transaction_id":null}""")]
    [InlineData("""{"transaction_id":"x"}""")]
    [InlineData(null)]
    public async Task A_ping_is_200(string? body)
    {
        using var service = new ServiceUnderTest();

        Assert.Equal((200, "{}"), await service.SendAsync(HttpMethod.Post, "/_matrix/app/v1/ping", body));
    }

    [Theory]
    [InlineData("/_matrix/app/v1/thirdparty/protocol/irc")]
    [InlineData("/_matrix/app/v1/thirdparty/location?alias=x")]
    [InlineData("/_matrix/app/unstable/thirdparty/user/irc")]
    public async Task Third_party_lookups_are_404(string path)
    {
        using var service = new ServiceUnderTest();

        var (status, body) = await service.SendAsync(HttpMethod.Get, path);

        Assert.Equal((404, "M_NOT_FOUND"), (status, Errcode(body)));
    }

    [Theory]
    [InlineData("GET", "/", 404)]
    [InlineData("GET", "/favicon.ico", 404)]
    [InlineData("GET", "/_matrix/app/v2/users/%40logging%3Alocalhost", 404)]
    [InlineData("POST", "/_matrix/app/v1", 404)]
    [InlineData("PUT", "/%zz", 404)]
    [InlineData("GET", "/_matrix/app/v1/transactions/1", 405)]
    [InlineData("POST", "/_matrix/app/v1/transactions/1", 405)]
    [InlineData("PUT", "/_matrix/app/v1/rooms/%23logged_a%3Alocalhost", 405)]
    [InlineData("DELETE", "/users/%40logging%3Alocalhost", 405)]
    [InlineData("GET", "/_matrix/app/v1/ping", 405)]
    [InlineData("OPTIONS", "/_matrix/app/v1/ping", 405)]
    public async Task An_unknown_endpoint_is_unrecognized_with_any_token(string method, string path, int expected)
    {
        using var service = new ServiceUnderTest();
        foreach (var authorization in new[] { null, "", "Bearer wrong" })
        {
            var (status, body) = await service.SendAsync(new HttpMethod(method), path, authorization: authorization);

            Assert.Equal((expected, "M_UNRECOGNIZED"), (status, Errcode(body)));
        }
    }

    [Theory]
    [InlineData("PUT", "/_matrix/app/v1/transactions/", 404)]
    [InlineData("GET", "/_matrix/app/v1/rooms/", 404)]
    [InlineData("GET", "/users/", 404)]
    public async Task A_path_without_its_id_is_unrecognized(string method, string path, int expected)
    {
        using var service = new ServiceUnderTest();

        var (status, body) = await service.SendAsync(new HttpMethod(method), path, method == "PUT" ? "{}" : null);

        Assert.Equal((expected, "M_UNRECOGNIZED"), (status, Errcode(body)));
    }

    [Fact]
    public async Task Every_response_is_JSON()
    {
        using var service = new ServiceUnderTest();
        foreach (var (method, path) in new[]
        {
            ("PUT", "/_matrix/app/v1/transactions/1"), ("GET", "/_matrix/app/v1/rooms/%23other%3Alocalhost"),
            ("GET", "/users/%40logging%3Alocalhost"),
            ("POST", "/_matrix/app/v1/ping"), ("GET", "/_matrix/app/v1/thirdparty/user"), ("GET", "/nothing"),
            ("GET", "/_matrix/app/v1/ping"),
        })
        {
            foreach (var token in new[] { ServiceUnderTest.HsToken, "wrong" })
            {
                using var request = new HttpRequestMessage(new HttpMethod(method), path);
                request.Headers.Authorization = new("Bearer", token);
                using var response = await service.Client.SendAsync(request, TestContext.Current.CancellationToken);

                Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
                using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
                Assert.Equal(JsonValueKind.Object, body.RootElement.ValueKind);
                Assert.Equal(response.StatusCode != HttpStatusCode.OK, body.RootElement.TryGetProperty("errcode", out _));
            }
        }
    }

    [Theory]
    [InlineData("http://127.0.0.1:5000/logging")]
    [InlineData("http://127.0.0.1:5000/logging/")]
    public async Task Each_path_may_start_with_the_path_of_the_registrations_url(string url)
    {
        using var service = new ServiceUnderTest(registration: ServiceUnderTest.RegistrationText(url), homeserver: CreatesRooms());
        foreach (var prefix in new[] { "/logging", "/logging/", "//logging//", "" })
        {
            Assert.Equal((200, "{}"), await service.SendAsync(HttpMethod.Post, $"{prefix}/_matrix/app/v1/ping", "{}"));
            Assert.Equal((200, "{}"), await service.SendAsync(HttpMethod.Get, $"{prefix}/users/%40logging%3Alocalhost"));
        }

        Assert.Equal((200, "{}"), await service.SendAsync(HttpMethod.Get, "/logging/_matrix/app/v1/rooms/%23logged_a/../b%3Alocalhost"));
        Assert.Equal("/_matrix/client/v3/directory/room/%23logged_a%2F..%2Fb%3Alocalhost", Assert.Single(AliasesPut(service)));
        Assert.Equal(404, (await service.SendAsync(HttpMethod.Post, "/loggingx/_matrix/app/v1/ping", "{}")).Status);
    }

    [Theory]
    [InlineData("%23logged_a/b%3Alocalhost", "%23logged_a%2Fb%3Alocalhost")]
    [InlineData("%23logged_a//b%3Alocalhost", "%23logged_a%2F%2Fb%3Alocalhost")]
    [InlineData("%23logged_../../etc%3Alocalhost", "%23logged_..%2F..%2Fetc%3Alocalhost")]
    [InlineData("%23logged_/./x%3Alocalhost", "%23logged_%2F.%2Fx%3Alocalhost")]
    [InlineData("%23logged_..%2f..%2Fetc%3Alocalhost", "%23logged_..%2F..%2Fetc%3Alocalhost")]
    [InlineData("%23logged_%2e%2e%3Alocalhost", "%23logged_..%3Alocalhost")]
    [InlineData("%23logged_a%2Fb%3Alocalhost", "%23logged_a%2Fb%3Alocalhost")]
    [InlineData("%23logged_~a%3Alocalhost", "%23logged_~a%3Alocalhost")]
    [InlineData("%23logged_a+b%C2%A0c%3Alocalhost", "%23logged_a%2Bb%C2%A0c%3Alocalhost")]
    [InlineData("%23logged_100%2525%3Alocalhost", "%23logged_100%2525%3Alocalhost")]
    [InlineData("%23logged_%25%3Alocalhost", "%23logged_%25%3Alocalhost")]
    [InlineData("%23logged_%3Fa%3Alocalhost?access_token=" + ServiceUnderTest.HsToken, "%23logged_%3Fa%3Alocalhost")]
    [InlineData("%23logged_%F0%9F%8E%89%22%3Alocalhost", "%23logged_%F0%9F%8E%89%22%3Alocalhost")]
    [InlineData("%23logged_%01%3Alocalhost", "%23logged_%01%3Alocalhost")]
    [InlineData("#logged_a:localhost", "%23logged_a%3Alocalhost")]
    public async Task An_alias_is_decoded_from_the_raw_path(string sent, string put)
    {
        using var service = new ServiceUnderTest(homeserver: CreatesRooms());

        Assert.Equal((200, "{}"), await service.SendAsync(HttpMethod.Get, $"/_matrix/app/v1/rooms/{sent}"));

        Assert.Equal($"/_matrix/client/v3/directory/room/{put}", Assert.Single(AliasesPut(service)));
    }

    [Theory]
    [InlineData("%23logged_%ff%3Alocalhost", 404)]
    [InlineData("%23logged_a%3Aelsewhere.example", 404)]
    [InlineData("%23other%3Alocalhost", 404)]
    [InlineData("%23Logged_a%3Alocalhost", 404)]
    [InlineData("%23logged_a", 404)]
    [InlineData("../rooms", 404)]
    public async Task An_alias_outside_the_namespace_creates_no_room(string alias, int expected)
    {
        using var service = new ServiceUnderTest();
        await IdentifyAsync(service);

        var (status, body) = await service.SendAsync(HttpMethod.Get, $"/_matrix/app/v1/rooms/{alias}");

        Assert.Equal((expected, "M_NOT_FOUND"), (status, Errcode(body)));
        Assert.DoesNotContain(service.Homeserver.Calls, call => call.Line.Contains("createRoom", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_alias_with_a_NUL_is_400_and_the_next_one_is_created()
    {
        using var service = new ServiceUnderTest(homeserver: CreatesRooms());

        Assert.Equal(400, (await service.SendAsync(HttpMethod.Get, "/_matrix/app/v1/rooms/%23logged_%00%3Alocalhost")).Status);

        Assert.Equal((200, "{}"), await service.SendAsync(HttpMethod.Get, "/_matrix/app/v1/rooms/%23logged_b%3Alocalhost"));
    }

    private static StubHomeserver CreatesRooms() => new StubHomeserver().WithoutAliases()
        .On("POST /_matrix/client/v3/createRoom", $$"""{"room_id":"{{NewRoom}}"}""")
        .On("PUT /_matrix/client/v3/directory/room/*", "{}")
        .On("PUT /_matrix/client/v3/rooms/*", """{"event_id":"$canonical"}""");

    private static IEnumerable<string> AliasesPut(ServiceUnderTest service) => service.Homeserver.Calls
        .Where(call => call.Line.StartsWith("PUT /_matrix/client/v3/directory/room/", StringComparison.Ordinal))
        .Select(call => call.Line[4..]);

    private static async Task IdentifyAsync(ServiceUnderTest service) => await service.PushAsync("0", Some.Message(Some.RoomId()));

    private static string? Errcode(string body) =>
        JsonDocument.Parse(body).RootElement.TryGetProperty("errcode", out var errcode) ? errcode.GetString() : null;
}

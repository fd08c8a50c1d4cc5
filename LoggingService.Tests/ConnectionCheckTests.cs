using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Serilog.Events;

namespace LoggingService.Tests;

/// <summary>The connection to the homeserver is checked at startup, and each change is logged with its advice.</summary>
public class ConnectionCheckTests
{
    private const string Versions = "GET /_matrix/client/versions";
    private const string Register = "POST /_matrix/client/v3/register";
    private const string WhoAmI = "GET /_matrix/client/v3/account/whoami";
    private const string Ping = "POST /_matrix/client/v1/appservice/logging/ping";
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly StubHomeserver _homeserver = new StubHomeserver().WithoutAliases();

    [Theory]
    [InlineData(400, """{"errcode":"M_USER_IN_USE","error":"User ID already taken."}""")]
    [InlineData(200, """{"user_id":"@logging:localhost"}""")]
    [InlineData(403, """{"errcode":"M_FORBIDDEN","error":"Registration has been disabled"}""")]
    [InlineData(400, """{"errcode":"M_EXCLUSIVE","error":"This user ID is reserved"}""")]
    [InlineData(404, """{"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"}""")]
    public async Task Success_is_one_message(int status, string registered)
    {
        _homeserver.On(Register, status, registered);
        using var service = Start();
        await UntilConnectedAsync(service);

        Assert.Empty(service.WarningsAndErrors);
        Assert.Equal([Versions, Register, WhoAmI, "GET /_matrix/client/v3/joined_rooms", Ping],
            _homeserver.Calls.Select(call => call.Line));
        Assert.Contains("\"username\":\"logging\"", _homeserver.Calls[1].Body, StringComparison.Ordinal);
        Assert.Contains("m.login.application_service", _homeserver.Calls[1].Body, StringComparison.Ordinal);
        Assert.Matches("""^{"transaction_id":"[0-9a-f]{32}"}$""", _homeserver.Calls[^1].Body);
        Assert.Matches("^#logged_check-[0-9a-f]{32}:localhost$", Assert.Single(_homeserver.CheckedAliases));
        Assert.Null(_homeserver.Calls[0].Authorization);
        Assert.All(_homeserver.Calls.Skip(1), call => Assert.Equal($"Bearer {ServiceUnderTest.AsToken}", call.Authorization));
    }

    [Theory]
    [InlineData(404, """{"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"}""")]
    [InlineData(400, """{"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"}""")]
    [InlineData(404, "404 page not found")]
    [InlineData(405, "{}")]
    public async Task Without_ping_support_reachability_is_inconclusive(int status, string response)
    {
        _homeserver.On(Ping, status, response);
        using var service = Start();
        await UntilConnectedAsync(service);
        Assert.Empty(service.WarningsAndErrors);
        var line = Assert.Single(service.Logged, e => e.RenderMessage().Contains("knows this service", StringComparison.Ordinal))
            .RenderMessage();
        Assert.Contains("The \"reachability\" check is inconclusive for \"http://127.0.0.1:5000\"", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Versions, 0, "", "cannot connect (", "--homeserver URL")]
    [InlineData(Versions, 502, "<html><h1>502 Bad Gateway</h1></html>", "(502 (the response is not JSON))",
        "check that the homeserver behind it is running")]
    [InlineData(Versions, 200, "<html>Welcome to nginx</html>", "not a Matrix homeserver", "--homeserver URL")]
    [InlineData(Versions, 404, "", "not a Matrix homeserver", "--homeserver URL")]
    [InlineData(Register, 401, """{"errcode":"M_UNKNOWN_TOKEN","error":"Unrecognised access token"}""",
        "the homeserver rejects its as_token", "app_service_config_files")]
    [InlineData(WhoAmI, 401, """{"errcode":"M_UNKNOWN_TOKEN","error":"Unrecognised access token"}""", "the homeserver rejects its as_token",
        "app_service_config_files")]
    [InlineData(Register, 500, """{"errcode":"M_UNKNOWN","error":"Internal server error"}""", "does not accept the user logging (",
        "Internal server error")]
    [InlineData(Ping, 502, """{"errcode":"M_BAD_STATUS","error":"HTTP 403","status":403}""", "another hs_token",
        "Copy the file to the homeserver again and restart it")]
    [InlineData(Ping, 502, """{"errcode":"M_BAD_STATUS","error":"HTTP 404","status":404}""", "another program responds",
        "Correct the url of the registration")]
    [InlineData(Ping, 502, """{"errcode":"M_BAD_STATUS","error":"HTTP 502","status":502}""", "another program responds",
        "Correct the url of the registration")]
    [InlineData(Ping, 502, """{"errcode":"M_CONNECTION_FAILED","error":"Connection refused"}""",
        "cannot connect to the url of the registration", "http://127.0.0.1:5000")]
    [InlineData(Ping, 504, """{"errcode":"M_CONNECTION_TIMEOUT","error":"timed out"}""", "cannot connect to the url of the registration",
        "http://127.0.0.1:5000")]
    [InlineData(Ping, 403, """{"errcode":"M_FORBIDDEN","error":"Application service has not registered this id"}""",
        "under another id than logging", "restart it")]
    [InlineData(Ping, 200, """{"duration_ms":1}""", "the homeserver reaches another service, not this one", "Compare the url")]
    [InlineData(Versions, 301, "", "redirects to https://matrix.example.org", "Set --homeserver https://matrix.example.org")]
    [InlineData(WhoAmI, 307, "", "redirects to https://matrix.example.org, which is not followed", "See the log of the homeserver")]
    [InlineData(Ping, 400, """{"errcode":"M_URL_NOT_SET","error":"The application service has no URL"}""", "cannot call this service",
        "has no URL")]
    public async Task A_failure_is_logged_once_with_its_advice_and_so_is_the_recovery(
        string call, int status, string response, string reason, string advice)
    {
        _homeserver.On(call, _ => status == 0
            ? throw new HttpRequestException("Connection refused (localhost:8008)")
            : Task.FromResult(new StubHomeserver.Response(status, response)));
        using var service = Start();

        // Retried many times, logged once.
        await Wait.UntilAsync(
            () => service.WarningsAndErrors.Count > 0 && _homeserver.Calls.Count(made => made.Line == call) > 6, "the retries", Pass);
        // On a busy machine, a call may time out by the fake clock: another reason.
        bool HasReason(string logged) => logged.Contains(reason, StringComparison.Ordinal);
        var line = Assert.Single(service.WarningsAndErrors, HasReason);
        Assert.Contains(advice, line, StringComparison.Ordinal);
        Assert.DoesNotContain(ServiceUnderTest.AsToken, line, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', line);

        // Transactions are accepted during the checks.
        var room = Some.RoomId();
        var pushed = service.PushAsync("1", Some.Message(room));
        await Wait.UntilAsync(() => pushed.IsCompleted, "a response", Pass);
        Assert.Equal((200, "{}"), await pushed);
        Assert.Single(service.Record(room));

        // The default responses of the stub pass all checks.
        _homeserver.On(call, call == WhoAmI ? """{"user_id":"@logging:localhost"}""" : """{"versions":[]}""").HasAliases = true;
        if (call == Ping)
        {
            _homeserver.WithPing();
        }

        await UntilConnectedAsync(service);
        Assert.Single(service.WarningsAndErrors, HasReason);
    }

    [Fact]
    public async Task A_copy_of_the_registration_with_other_aliases_is_a_failure_until_it_is_corrected()
    {
        _homeserver.HasAliases = false;
        using var service = Start();
        await Wait.UntilAsync(() => service.WarningsAndErrors.Count == 1 && _homeserver.CheckedAliases.Count > 2, "the retries", Pass);
        Assert.Contains("does not ask this service for aliases of #logged_.*", Assert.Single(service.WarningsAndErrors));

        _homeserver.HasAliases = true;
        await UntilConnectedAsync(service);
        Assert.Distinct(_homeserver.CheckedAliases);
    }

    [Fact]
    public async Task A_second_failure_is_logged_too()
    {
        _homeserver.On(Versions, 404, "").On(Ping, 403, """{"errcode":"M_FORBIDDEN","error":"no"}""");
        using var service = Start();
        await Wait.UntilAsync(() => service.WarningsAndErrors.Count == 1, "the first", Pass);
        _homeserver.On(Versions, "{}");
        await Wait.UntilAsync(() => service.WarningsAndErrors.Count == 2, "the second", Pass);
        Assert.Contains("under another id", service.WarningsAndErrors[1], StringComparison.Ordinal);
    }

    private ServiceUnderTest Start()
    {
        var service = new ServiceUnderTest(_time, homeserver: _homeserver);
        Assert.NotNull(service.Client);
        return service;
    }

    private void Pass() => _time.Advance(TimeSpan.FromSeconds(4));

    private Task UntilConnectedAsync(ServiceUnderTest service) => Wait.UntilAsync(
        () => service.Logged.Where(e => e.Level == LogEventLevel.Information)
            .Count(e => e.MessageTemplate.Text.Contains("knows this service", StringComparison.Ordinal)) == 1,
        "the checks pass", Pass);
}

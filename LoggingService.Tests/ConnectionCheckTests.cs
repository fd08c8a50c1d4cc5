using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Serilog.Events;

namespace LoggingService.Tests;

/// <summary>At start the admin is told whether the homeserver and the service know each other, and what to do if they don't.</summary>
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
    public async Task Where_all_is_well_one_line_says_so(int status, string registered)
    {
        _homeserver.On(Register, status, registered);
        using var service = Start();
        await WaitUntilConnectedAsync(service);

        Assert.Empty(service.WarningsAndErrors);
        Assert.Equal([Versions, Register, WhoAmI, "GET /_matrix/client/v3/joined_rooms", Ping], _homeserver.Calls.Select(call => call.Line));
        Assert.Contains("\"username\":\"logging\"", _homeserver.Calls[1].Body, StringComparison.Ordinal);
        Assert.Contains("m.login.application_service", _homeserver.Calls[1].Body, StringComparison.Ordinal);
        Assert.Equal("{}", _homeserver.Calls[^1].Body);
    }

    [Theory]
    [InlineData(404, """{"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"}""")]
    [InlineData(400, """{"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"}""")]
    [InlineData(404, "404 page not found")]
    [InlineData(405, "{}")]
    public async Task Of_a_homeserver_that_cannot_be_asked_whether_it_reaches_us_nothing_is_claimed(int status, string answer)
    {
        _homeserver.On(Ping, status, answer);
        using var service = Start();
        await WaitUntilConnectedAsync(service);
        Assert.Empty(service.WarningsAndErrors);
        var said = Assert.Single(service.Logged, e => e.RenderMessage().Contains("knows this service", StringComparison.Ordinal)).RenderMessage();
        Assert.Contains("whether it reaches this service", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Versions, 0, "", "can't be reached at", "--homeserver URL")]
    [InlineData(Versions, 502, "<html><h1>502 Bad Gateway</h1></html>", "(502 (an answer that is no JSON))", "is the homeserver behind it running?")]
    [InlineData(Versions, 200, "<html>Welcome to nginx</html>", "is no Matrix homeserver", "--homeserver URL")]
    [InlineData(Versions, 404, "", "is no Matrix homeserver", "--homeserver URL")]
    [InlineData(Register, 401, """{"errcode":"M_UNKNOWN_TOKEN","error":"Unrecognised access token"}""", "doesn't know the as_token of", "app_service_config_files")]
    [InlineData(WhoAmI, 401, """{"errcode":"M_UNKNOWN_TOKEN","error":"Unrecognised access token"}""", "doesn't know the as_token of", "app_service_config_files")]
    [InlineData(Register, 400, """{"errcode":"M_EXCLUSIVE","error":"This user ID is reserved"}""", "own user logging in", "This user ID is reserved")]
    [InlineData(Ping, 502, """{"errcode":"M_BAD_STATUS","error":"HTTP 403","status":403}""", "another hs_token", "give it this file again and restart it")]
    [InlineData(Ping, 502, """{"errcode":"M_BAD_STATUS","error":"HTTP 404","status":404}""", "Something else than this service answers", "must lead to this service")]
    [InlineData(Ping, 502, """{"errcode":"M_BAD_STATUS","error":"HTTP 502","status":502}""", "Something else than this service answers", "must lead to this service")]
    [InlineData(Ping, 502, """{"errcode":"M_CONNECTION_FAILED","error":"Connection refused"}""", "can't reach this service at http://127.0.0.1:5000", "the url of the registration")]
    [InlineData(Ping, 504, """{"errcode":"M_CONNECTION_TIMEOUT","error":"timed out"}""", "can't reach this service at http://127.0.0.1:5000", "the url of the registration")]
    [InlineData(Ping, 403, """{"errcode":"M_FORBIDDEN","error":"Application service has not registered this id"}""", "by another id than logging", "restart it")]
    [InlineData(Ping, 400, """{"errcode":"M_URL_NOT_SET","error":"The application service has no URL"}""", "could not be asked to call this service", "has no URL")]
    public async Task What_is_wrong_is_said_once_with_what_to_do_and_so_is_its_end(string call, int status, string answer, string wrong, string remedy)
    {
        _homeserver.On(call, _ => status == 0
            ? throw new HttpRequestException("Connection refused (localhost:8008)")
            : Task.FromResult(new StubHomeserver.Response(status, answer)));
        using var service = Start();

        // It is tried again and again, and said once.
        await Wait.UntilAsync(() => service.WarningsAndErrors.Count > 0 && _homeserver.Calls.Count(made => made.Line == call) > 6, "it is tried again", Pass);
        var said = Assert.Single(service.WarningsAndErrors);
        Assert.Contains(wrong, said, StringComparison.Ordinal);
        Assert.Contains(remedy, said, StringComparison.Ordinal);
        Assert.DoesNotContain(ServiceUnderTest.AsToken, said, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', said);

        // The service serves meanwhile.
        var room = Some.RoomId();
        var pushed = service.PushAsync("1", Some.Message(room));
        await Wait.UntilAsync(() => pushed.IsCompleted, "an answer", Pass);
        Assert.Equal((200, "{}"), await pushed);
        Assert.Single(service.Record(room));

        // The stub at its start is a homeserver at which all is well.
        _homeserver.On(call, call == WhoAmI ? """{"user_id":"@logging:localhost"}""" : """{"versions":[]}""");
        await WaitUntilConnectedAsync(service);
        Assert.Single(service.WarningsAndErrors);
    }

    [Fact]
    public async Task Another_thing_that_is_wrong_after_the_first_is_said_too()
    {
        _homeserver.On(Versions, 404, "").On(Ping, 403, """{"errcode":"M_FORBIDDEN","error":"no"}""");
        using var service = Start();
        await Wait.UntilAsync(() => service.WarningsAndErrors.Count == 1, "the first", Pass);
        _homeserver.On(Versions, "{}");
        await Wait.UntilAsync(() => service.WarningsAndErrors.Count == 2, "the second", Pass);
        Assert.Contains("by another id", service.WarningsAndErrors[1], StringComparison.Ordinal);
    }

    private ServiceUnderTest Start()
    {
        var service = new ServiceUnderTest(_time, homeserver: _homeserver);
        Assert.NotNull(service.Client);
        return service;
    }

    private void Pass() => _time.Advance(TimeSpan.FromSeconds(4));

    private Task WaitUntilConnectedAsync(ServiceUnderTest service) => Wait.UntilAsync(
        () => service.Logged.Count(e => e.Level == LogEventLevel.Information && e.MessageTemplate.Text.Contains("knows this service", StringComparison.Ordinal)) == 1, "all is well", Pass);
}

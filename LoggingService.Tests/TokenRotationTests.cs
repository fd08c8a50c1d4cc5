using LoggingService.Cli;
using LoggingService.Registration;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LoggingService.Tests;

/// <summary>After <c>rotate-tokens</c> the service and the homeserver reach each other, whichever is restarted first.</summary>
public sealed class TokenRotationTests : IDisposable
{
    private const string Ping = "/_matrix/app/v1/ping";
    private readonly TempFolder _folder = TempFolder.ForCaller();

    /// <summary>The tokens that the homeserver has, and all that were in use.</summary>
    private readonly HashSet<string> _all = [ServiceUnderTest.AsToken, ServiceUnderTest.HsToken];
    private string _asToken = ServiceUnderTest.AsToken;
    private string _hsToken = ServiceUnderTest.HsToken;

    private string Registration => _folder["registration.yaml"];

    private string PreviousTokensFile => _folder["logs", ".previous-tokens"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_homeserver_is_served_before_and_after_it_gets_the_new_tokens()
    {
        using var service = Start();
        _ = service.Client;
        Rotate();
        Reload(service);

        await AssertConnectedAsync(service);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(PreviousTokensFile));

        RestartHomeserver();
        Assert.Equal(200, await CreateRoomAsync(service));
        Assert.Equal(403, await PingAsync(service, ServiceUnderTest.HsToken));
        Assert.False(File.Exists(PreviousTokensFile));
        await AssertConnectedAsync(service);
        Assert.Single(service.Logged, e => e.RenderMessage().StartsWith("The homeserver uses the new tokens", StringComparison.Ordinal));
        AssertNoTokenIsLogged(service);
    }

    [Fact]
    public async Task A_restart_of_the_service_in_between_keeps_the_previous_tokens_until_the_new_ones_arrive()
    {
        using (var service = Start())
        {
            Assert.Equal(200, await CreateRoomAsync(service));
        }

        Rotate();
        using (var service = Start())
        {
            await AssertConnectedAsync(service);
        }

        using (var service = Start())
        {
            await AssertConnectedAsync(service);
            RestartHomeserver();
            await AssertConnectedAsync(service);
        }

        using (var service = Start())
        {
            Assert.Equal(403, await PingAsync(service, ServiceUnderTest.HsToken));
            await AssertConnectedAsync(service);
        }
    }

    [Fact]
    public async Task A_homeserver_that_is_restarted_first_is_served_after_the_reload()
    {
        using var service = Start();
        _ = service.Client;
        await Wait.UntilAsync(
            () => service.Logged.Any(e => e.RenderMessage().Contains("knows this service", StringComparison.Ordinal)),
            "the check at start ends");
        Rotate();
        RestartHomeserver();
        Assert.Equal(403, await PingAsync(service, _hsToken));
        Assert.Equal(200, await PingAsync(service, ServiceUnderTest.HsToken));
        var pings = CountPings(service);

        Reload(service);

        // The ping makes the homeserver send its events at once.
        await Wait.UntilAsync(() => CountPings(service) > pings, "the service pings the homeserver");
        await AssertConnectedAsync(service);
        Assert.Equal(403, await PingAsync(service, ServiceUnderTest.HsToken));
    }

    [Fact]
    public async Task A_homeserver_that_has_missed_a_rotation_is_served_until_the_newest_token_arrives()
    {
        using var service = Start();
        _ = service.Client;
        Rotate();
        Reload(service);
        var (asBetween, hsBetween) = (ReadTokens().AsToken, ReadTokens().HsToken);
        Rotate();
        Reload(service);

        await AssertConnectedAsync(service);
        (_asToken, _hsToken) = (asBetween, hsBetween);
        await AssertConnectedAsync(service);
        RestartHomeserver();
        await AssertConnectedAsync(service);
        Assert.Equal(403, await PingAsync(service, hsBetween));
    }

    [Fact]
    public async Task The_end_of_a_rotation_keeps_the_tokens_of_the_next_one()
    {
        using var service = Start();
        _ = service.Client;
        Rotate();
        Reload(service);
        RestartHomeserver();
        Rotate();

        // Ends the first rotation, while the second is on the disk only.
        await AssertConnectedAsync(service);
        Reload(service);

        await AssertConnectedAsync(service);
        RestartHomeserver();
        await AssertConnectedAsync(service);
    }

    [Theory]
    [InlineData("previous", "previous", 200)]
    [InlineData("previous", "new", 200)]
    [InlineData("previous", "wrong", 403)]
    [InlineData("wrong", "new", 403)]
    [InlineData("wrong", "wrong", 403)]
    public async Task All_of_several_tokens_must_be_right_during_a_rotation(string inHeader, string inQuery, int status)
    {
        using var service = Start();
        _ = service.Client;
        Rotate();
        Reload(service);
        string Token(string which) => which switch
        {
            "previous" => ServiceUnderTest.HsToken,
            "new" => ReadTokens().HsToken,
            _ => which,
        };

        var target = $"{Ping}?access_token={Token(inQuery)}";
        Assert.Equal(status, (await service.SendAsync(HttpMethod.Post, target, "{}", $"Bearer {Token(inHeader)}")).Status);

        Assert.True(File.Exists(PreviousTokensFile));
        Assert.Equal(200, await PingAsync(service, ServiceUnderTest.HsToken));
    }

    [Fact]
    public async Task A_reload_without_a_rotation_keeps_the_tokens()
    {
        using var service = Start();
        _ = service.Client;

        Reload(service);

        await AssertConnectedAsync(service);
        Assert.DoesNotContain(service.Logged, e => e.RenderMessage().Contains("as_token", StringComparison.Ordinal));
    }

    private static void Reload(ServiceUnderTest service) => service.Services.GetRequiredService<SettingsReload>().Run();

    private static int CountPings(ServiceUnderTest service) =>
        service.Homeserver.Calls.Count(call => call.Line.EndsWith("/ping", StringComparison.Ordinal));

    private static async Task<int> PingAsync(ServiceUnderTest service, string hsToken) =>
        (await service.SendAsync(HttpMethod.Post, Ping, "{}", $"Bearer {hsToken}")).Status;

    /// <summary>Starts the service with the registration as it is, and a homeserver that accepts its own tokens only.</summary>
    private ServiceUnderTest Start()
    {
        var homeserver = new StubHomeserver().CreatingRooms();
        foreach (var (line, body) in new[]
        {
            ("GET /_matrix/client/v3/account/whoami", """{"user_id":"@logging:localhost"}"""),
            ("GET /_matrix/client/v3/joined_rooms", """{"joined_rooms":[]}"""),
            (AliasQueries.CreateRoom, """{"room_id":"!made:localhost"}"""),
        })
        {
            homeserver.On(line, request => Task.FromResult(Respond(request, body)));
        }

        homeserver.On("POST /_matrix/client/v1/appservice/logging/ping", async request =>
        {
            using var ping = new HttpRequestMessage(HttpMethod.Post, Ping) { Content = new StringContent(request.Body) };
            ping.Headers.Authorization = new("Bearer", _hsToken);
            using var response = await (await homeserver.Service.Task).SendAsync(ping);
            return Respond(request, """{"duration_ms":1}""");
        });

        return new ServiceUnderTest(
            folder: _folder, registration: File.Exists(Registration) ? File.ReadAllText(Registration) : null, homeserver: homeserver);
    }

    private StubHomeserver.Response Respond(StubHomeserver.Request request, string body) =>
        request.Authorization == $"Bearer {_asToken}"
            ? new(200, body)
            : new(401, """{"errcode":"M_UNKNOWN_TOKEN","error":"Unrecognised access token"}""");

    private void Rotate() => TokenRotation.Run(Registration, _folder["logs"]);

    private AppServiceRegistration ReadTokens()
    {
        var registration = RegistrationReader.Read(Registration);
        _all.UnionWith([registration.AsToken, registration.HsToken]);
        return registration;
    }

    private void RestartHomeserver() => (_asToken, _hsToken) = (ReadTokens().AsToken, ReadTokens().HsToken);

    /// <summary>The homeserver's requests are accepted, and so are the service's calls.</summary>
    private async Task AssertConnectedAsync(ServiceUnderTest service)
    {
        Assert.Equal(200, await PingAsync(service, _hsToken));
        Assert.Equal(200, await CreateRoomAsync(service));
    }

    /// <summary>Queries an alias that does not exist: the service calls the homeserver, and creates the room.</summary>
    private async Task<int> CreateRoomAsync(ServiceUnderTest service)
    {
        var alias = Uri.EscapeDataString($"#logged_{Guid.NewGuid():N}:localhost");
        return (await service.SendAsync(HttpMethod.Get, $"/_matrix/app/v1/rooms/{alias}", authorization: $"Bearer {_hsToken}")).Status;
    }

    private void AssertNoTokenIsLogged(ServiceUnderTest service) => Assert.All(
        service.Logged,
        e => Assert.DoesNotContain(_all, token => e.RenderMessage().Contains(token, StringComparison.Ordinal)));
}

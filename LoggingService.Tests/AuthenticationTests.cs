using System.Text.Json;
using LoggingService.Tests.Support;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>Only requests with the hs_token are accepted.</summary>
public class AuthenticationTests
{
    private const string Token = ServiceUnderTest.HsToken;
    private const string Ping = "/_matrix/app/v1/ping";

    [Theory]
    [InlineData("")]
    [InlineData("Basic bWF0cml4Om1hdHJpeA==")]
    [InlineData("Bearer")]
    public async Task A_request_without_a_token_is_401(string authorization)
    {
        using var service = new ServiceUnderTest();

        var (status, body) = await service.SendAsync(HttpMethod.Post, Ping, "{}", authorization);

        Assert.Equal((401, "M_MISSING_TOKEN"), (status, Errcode(body)));
    }

    [Theory]
    [InlineData("Bearer wrong")]
    [InlineData("Bearer " + ServiceUnderTest.AsToken)]
    [InlineData("Bearer " + Token + "x")]
    [InlineData("Bearer HS_TOKEN_LAB_0B84E3D5C1")]
    [InlineData("Bearer ")]
    public async Task A_request_with_another_token_is_rejected(string authorization)
    {
        using var service = new ServiceUnderTest();

        var (status, body) = await service.SendAsync(HttpMethod.Post, Ping, "{}", authorization);

        Assert.Equal(authorization == "Bearer " ? 401 : 403, status);
    }

    [Theory]
    [InlineData("Bearer " + Token, "")]
    [InlineData("bearer " + Token, "")]
    [InlineData("BEARER " + Token, "")]
    [InlineData("bEaReR   " + Token, "")]
    [InlineData("", "?access_token=" + Token)]
    [InlineData("", "?user_id=%40x&access_token=" + Token)]
    [InlineData("Bearer " + Token, "?access_token=" + Token)]
    public async Task The_token_is_accepted_in_the_header_and_in_the_query(string authorization, string query)
    {
        using var service = new ServiceUnderTest();

        Assert.Equal((200, "{}"), await service.SendAsync(HttpMethod.Post, Ping + query, "{}", authorization));
    }

    [Theory]
    [InlineData("Bearer wrong", "?access_token=" + Token)]
    [InlineData("Bearer " + Token, "?access_token=wrong")]
    [InlineData("Bearer " + Token, "?access_token=")]
    [InlineData("Bearer " + Token, "?access_token=" + Token + "&access_token=wrong")]
    [InlineData("", "?access_token=wrong&access_token=" + Token)]
    [InlineData("", "?access_token=")]
    public async Task All_of_several_tokens_must_match(string authorization, string query)
    {
        using var service = new ServiceUnderTest();

        var (status, body) = await service.SendAsync(HttpMethod.Post, Ping + query, "{}", authorization);

        Assert.Equal((403, "M_FORBIDDEN"), (status, Errcode(body)));
    }

    [Fact]
    public async Task Every_route_requires_the_token()
    {
        using var service = new ServiceUnderTest();
        _ = service.Client;
        var routes = service.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(route => route.Metadata.GetMetadata<IHttpMethodMetadata>() is not null).ToList();

        Assert.Equal(9, routes.Count);
        foreach (var route in routes)
        {
            var path = "/" + string.Join('/', route.RoutePattern.PathSegments.Select(segment =>
                segment.Parts[0] is RoutePatternLiteralPart { Content: { } text } ? text : "%23logged_x%3Alocalhost"));
            var method = new HttpMethod(route.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods[0]);
            foreach (var (authorization, status, errcode) in new[] { ("", 401, "M_MISSING_TOKEN"), ("Bearer wrong", 403, "M_FORBIDDEN") })
            {
                var response = await service.SendAsync(method, path, method == HttpMethod.Get ? null : """{"events":[]}""", authorization);
                Assert.Equal((path, status, errcode), (path, response.Status, Errcode(response.Body)));
            }
        }
    }

    [Theory]
    [InlineData(null, 401, "")]
    [InlineData("wrong", 403, "")]
    [InlineData("wrong", 403, "Expect: 100-continue\r\n")]
    public async Task An_unauthenticated_request_is_rejected_before_its_body_is_read(string? token, int status, string expect)
    {
        using var service = new ServiceUnderTest();
        using var connection = await RawConnection.OpenAsync(service.Client.BaseAddress!.Port);

        await connection.SendAsync(RawConnection.TransactionHead("1", 100_000_000, token)
            .Replace("Host:", expect + "Host:", StringComparison.Ordinal));

        Assert.StartsWith($"HTTP/1.1 {status} ", await connection.ReadToAsync("\r\n", TimeSpan.FromSeconds(4)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_invalid_token_is_logged_once_a_minute()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var service = new ServiceUnderTest(time);
        await service.SendAsync(HttpMethod.Post, Ping, "{}", "");
        Assert.Empty(service.WarningsAndErrors);

        await service.SendAsync(HttpMethod.Post, Ping, "{}", "Bearer wrong");
        await service.SendAsync(HttpMethod.Post, Ping, "{}", "Bearer wrong");
        Assert.Equal(
            "Rejected a request with an invalid hs_token. "
            + $"If the homeserver sent it, its copy of \"{service.Folder["registration.yaml"]}\" is outdated: "
            + "replace the copy and restart the homeserver. If the tokens were rotated, reload this service first. "
            + "Further occurrences are logged once a minute.",
            Assert.Single(service.WarningsAndErrors));

        await service.ConnectedAsync();
        time.Advance(TimeSpan.FromSeconds(61));
        await service.SendAsync(HttpMethod.Post, Ping, "{}", "Bearer wrong");
        Assert.Equal(2, service.WarningsAndErrors.Count);
    }

    [Fact]
    public async Task No_token_is_logged_with_any_failure()
    {
        const string Wrong = "another_services_secret";
        using var service = new ServiceUnderTest(homeserver: new StubHomeserver().WithoutAliases()
            .On("POST /_matrix/client/v3/createRoom", 403, """{"errcode":"M_FORBIDDEN","error":"no"}"""));
        var events = $"{{\"events\":[{Some.Message(Some.RoomId())}]}}";

        await service.SendAsync(HttpMethod.Put, $"/_matrix/app/v1/transactions/1?access_token={Token}", events);
        await service.SendAsync(HttpMethod.Put, $"/_matrix/app/v1/transactions/2?access_token={Token}", "{\"events\":");
        await service.SendAsync(HttpMethod.Put, $"/_matrix/app/v1/transactions/3?access_token={Token}", "[1]");
        await service.SendAsync(HttpMethod.Put, $"/_matrix/app/v1/transactions/4?access_token={Wrong}", events);
        await service.SendAsync(HttpMethod.Put, "/_matrix/app/v1/transactions/5", events, $"Bearer {Wrong}");
        await service.SendAsync(HttpMethod.Get, $"/_matrix/app/v1/rooms/%23logged_x%3Alocalhost?access_token={Token}");
        await service.SendAsync(HttpMethod.Get, $"/nothing?access_token={Token}");

        // A file in place of the journal's folder: an internal failure.
        var room = Some.RoomId();
        Directory.Delete(Path.Combine(service.Logs, ".journal"), recursive: true);
        await File.WriteAllTextAsync(Path.Combine(service.Logs, ".journal"), "", TestContext.Current.CancellationToken);
        var failed = await service.SendAsync(HttpMethod.Put, $"/_matrix/app/v1/transactions/6?access_token={Token}",
            $"{{\"events\":[{Some.Message(room)}]}}");

        Assert.Equal(500, failed.Status);
        Assert.True(service.WarningsAndErrors.Count >= 5, string.Join('\n', service.WarningsAndErrors));
        foreach (var logged in service.Logged)
        {
            var all = $"{logged.RenderMessage()} {string.Join(' ', logged.Properties)} {logged.Exception}";
            Assert.DoesNotContain(Token, all, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(ServiceUnderTest.AsToken, all, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(Wrong, all, StringComparison.OrdinalIgnoreCase);
        }
    }

    private static string Errcode(string body) => JsonDocument.Parse(body).RootElement.GetProperty("errcode").GetString()!;
}

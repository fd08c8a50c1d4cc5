using System.Text;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>The service's output never contains a token, at any log level, and unauthenticated requests don't flood it.</summary>
public class TokenLeakTests
{
    private const string Wrong = "another_secret_9f3";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private static readonly string[] Categories =
    [
        "Default", "Microsoft", "Microsoft.AspNetCore.Diagnostics", "Microsoft.AspNetCore.Hosting.Diagnostics",
        "Microsoft.Extensions.Hosting.Internal.Host", "Microsoft.Hosting.Lifetime", "System.Net.Http",
    ];

    private static readonly string[] Verbose =
    [
        .. Categories.SelectMany(category => (string[])[$"--Logging:LogLevel:{category}", "Trace"]),
        "--ServiceLog:RoomActivity", "on",
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_output_contains_a_token_whatever_fails_at_the_most_verbose_level(bool isJson)
    {
        // Without a homeserver: calls fail and are retried.
        using var folder = TempFolder.ForCaller();
        var port = FreePort.Next();
        var homeserver = $"http://127.0.0.1:{FreePort.Next()}";
        var registration = ServiceUnderTest.RegistrationText();
        await File.WriteAllTextAsync(folder["registration.yaml"], registration, TestContext.Current.CancellationToken);
        string[] json = isJson ? ["--ServiceLog:File", folder["service.log"], "--ServiceLog:Format", "json"] : [];
        await using var service = ServiceProcess.Start(
            folder.Path, ["--homeserver", homeserver, "--urls", $"http://127.0.0.1:{port}", .. Verbose, .. json]);
        await service.WaitForLineAsync("cannot connect");
        var rounds = Trial.Scale(1, 20);
        foreach (var request in Enumerable.Repeat(Requests, rounds).SelectMany(requests => requests))
        {
            using var connection = await RawConnection.OpenAsync(port);
            await connection.SendAsync(request);
            Assert.StartsWith("HTTP/1.1 ", await connection.ReadToAsync("\r\n", Limit), StringComparison.Ordinal);
        }

        // A folder that can't be created parks the room.
        var room = Some.RoomId();
        await File.WriteAllTextAsync(folder["logs", room], "", TestContext.Current.CancellationToken);
        using (var connection = await RawConnection.OpenAsync(port))
        {
            var body = $"{{\"events\":[{Some.Message(room)}]}}";
            await connection.SendAsync(RawConnection.TransactionHead("1", body.Length) + body);
            Assert.StartsWith("HTTP/1.1 200 ", await connection.ReadToAsync("\r\n", Limit), StringComparison.Ordinal);
        }

        if (!isJson)
            await service.WaitForLineAsync($"Failed to write the log of \"?{System.Text.RegularExpressions.Regex.Escape(room)}");

        // A journal that can't be written makes the service fail.
        Directory.Move(folder["logs", ".journal"], folder["moved"]);
        await File.WriteAllTextAsync(folder["logs", ".journal"], "", TestContext.Current.CancellationToken);
        using (var connection = await RawConnection.OpenAsync(port))
        {
            var body = $"{{\"events\":[{Some.Message(room)}]}}";
            await connection.SendAsync(RawConnection.TransactionHead("2", body.Length) + body);
            Assert.StartsWith("HTTP/1.1 500 ", await connection.ReadToAsync("\r\n", Limit), StringComparison.Ordinal);
        }

        Assert.Equal(0, await service.StopAsync());
        var files = Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories);
        var written = string.Join('\n', service.Output)
            + string.Concat(files.Where(file => Path.GetFileName(file) != "registration.yaml").Select(File.ReadAllText));

        // The framework's most verbose messages are there, except those that repeat a malformed request.
        string[] expected = ["Request starting", "Request finished", "Request Headers", "System.Net.Http.HttpRequestException"];
        foreach (var text in isJson ? expected.Append("QueryString") : expected)
            Assert.True(written.Contains(text, StringComparison.Ordinal), text);
        foreach (var text in new[] { "bad request data", "BadHttpRequestException" })
            Assert.False(written.Contains(text, StringComparison.Ordinal), text);
        foreach (var token in new[] { ServiceUnderTest.HsToken, ServiceUnderTest.AsToken, Wrong })
            Assert.DoesNotContain(token, written, StringComparison.OrdinalIgnoreCase);
        var method = $"everything at Trace, {(isJson ? "as JSON, to the console and a file" : "as text")}; "
            + "right and wrong tokens, in headers and queries of valid, rejected and malformed requests";
        Trial.Report("tokens in the output (events: lines)", method, rounds * Requests.Count(), written.AsSpan().Count('\n'), 0, 0);
    }

    [Fact]
    public async Task A_flood_of_unauthenticated_requests_does_not_flood_the_log()
    {
        await using var service = await ServiceUnderAttack.StartAsync();

        // What the messages of the start cause in the background.
        await service.Process.WaitForLineAsync("The log of .* is in ");
        var before = (service.Memory, service.OpenFiles);
        var lines = service.Process.Output.Count;
        var unauthenticated = Requests.Where(request => !request.Contains(ServiceUnderTest.HsToken, StringComparison.Ordinal)).ToList();
        var rounds = Trial.Scale(10, 500);
        for (var round = 0; round < rounds; round++)
            await Task.WhenAll(unauthenticated.Select(async request =>
            {
                using var connection = await RawConnection.OpenAsync(service.Port);
                await connection.SendAsync(request);
                Assert.StartsWith("HTTP/1.1 4", await connection.ReadToAsync("\r\n", Limit), StringComparison.Ordinal);
            }));

        const string method = "with wrong tokens, without tokens, and malformed; one log line a minute";
        await service.AssertUnharmedAsync("unauthenticated requests", method, rounds * unauthenticated.Count, before);

        // The test takes less than a minute, except on a slow machine.
        var warnings = service.Process.Output.Skip(lines).ToList();
        Assert.All(warnings, line => Assert.Contains("invalid hs_token", line, StringComparison.Ordinal));
        Assert.InRange(warnings.Count, 1, Trial.Scale(2, 10));
    }

    private static IEnumerable<string> Requests =>
        from token in new[] { ServiceUnderTest.HsToken, ServiceUnderTest.AsToken, Wrong }
        let header = $"Authorization: Bearer {token}\r\n"
        from request in (string[])
        [
            Get($"/_matrix/app/v1/users/x", header),
            Get($"/_matrix/app/v1/users/x?access_token={token}"),
            Get($"/_matrix/app/v1/users/x?%61ccess_token={token}&access_token={token}", header),
            Get($"http://localhost/users/x?access_token={token}"),
            Get($"/_matrix/app/v1/rooms/%23logged_a%3Alocalhost?access_token={token}", header),
            Get($"/nothing?access_token={token}", header),
            Get($"/%ff?access_token={token}", header),
            Get($"/\u00FF?access_token={token}", header),
            Get($"/%00?access_token={token}", header),
            $"GET /?access_token={token}\r\nHost: localhost\r\n\r\n",
            $"GET /?access_token={token} HTTP/1.1\r\n\r\n",
            $"GET /?access_token={token} HTTP/1.1\r\nHost: a b/{token}\r\n\r\n",
            Get("/", $"Authorization Bearer {token}\r\n"),
            Get("/", $"Authorization: Bearer {token}\0\r\n"),
            Get("/", $"Authorization: Basic {token}\r\n"),
            Get("/", $"{header}Content-Length: {token}\r\n"),
            Put($"/_matrix/app/v1/transactions/1?access_token={token}", header, "{\"events\":[]}"),
            Put($"/_matrix/app/v1/transactions/{Guid.NewGuid()}?access_token={token}", header, "{\"events\":"),
            Put($"/transactions/1?access_token={token}", "", "[1]"),
            $"PUT /transactions/1?access_token={token} HTTP/1.1\r\nHost: localhost\r\n{header}Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        ]
        select request;

    private static string Get(string target, string headers = "") => $"GET {target} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n";

    private static string Put(string target, string headers, string body) =>
        $"PUT {target} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";
}

using System.Net.Http.Headers;
using System.Text;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>A homeserver's sending half, for a service that is a process: each call on a connection of its own, for a minute at most.</summary>
/// <param name="url">Where the service listens.</param>
internal sealed class TransactionClient(string url) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.Zero }) { Timeout = TimeSpan.FromSeconds(60) };

    /// <summary>Asks the service for something.</summary>
    /// <returns>The status.</returns>
    public async Task<int> SendAsync(HttpMethod method, string target, string? body = null, CancellationToken hangUp = default)
    {
        using var request = new HttpRequestMessage(method, url + target);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", ServiceUnderTest.HsToken);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await _http.SendAsync(request, hangUp);
        return (int)response.StatusCode;
    }

    /// <summary>Pushes a transaction once.</summary>
    public Task<int> PushAsync(string id, IEnumerable<string> events, CancellationToken hangUp = default) =>
        SendAsync(HttpMethod.Put, $"/_matrix/app/v1/transactions/{id}", $"{{\"events\":[{string.Join(',', events)}]}}", hangUp);

    /// <summary>Asks for an alias.</summary>
    public Task<int> QueryAliasAsync(string alias) => SendAsync(HttpMethod.Get, $"/_matrix/app/v1/rooms/{Uri.EscapeDataString(alias)}");

    /// <summary>Waits until the service listens.</summary>
    public Task WaitUntilListeningAsync() => UntilAsync(() => SendAsync(HttpMethod.Post, "/_matrix/app/v1/ping", "{}"));

    /// <summary>Pushes a transaction until it is answered with 200.</summary>
    public Task PushUntilAcceptedAsync(string id, IReadOnlyList<string> events) => UntilAsync(() => PushAsync(id, events));

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static async Task UntilAsync(Func<Task<int>> ask)
    {
        for (var end = DateTime.UtcNow.AddSeconds(30); ;)
        {
            try
            {
                if (await ask() == 200)
                    return;
            }
            catch (HttpRequestException)
            {
                // Not there yet.
            }

            Assert.True(DateTime.UtcNow < end, "The service never took it");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}

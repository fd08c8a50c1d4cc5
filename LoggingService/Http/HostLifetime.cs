namespace LoggingService.Http;

internal static class HostLifetime
{
    /// <summary>Completes when the web server listens: the homeserver can call the service back.</summary>
    /// <exception cref="OperationCanceledException">The service stops before.</exception>
    public static async Task WhenStartedAsync(this IHostApplicationLifetime lifetime, CancellationToken cancellation)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(() => started.TrySetResult());
        await started.Task.WaitAsync(cancellation);
    }
}

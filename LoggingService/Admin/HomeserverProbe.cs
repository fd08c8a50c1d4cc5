using LoggingService.Homeserver;

namespace LoggingService.Admin;

/// <summary>Calls the homeserver where the service itself had no reason to for a minute, so that a lost contact is noticed.</summary>
internal sealed class HomeserverProbe(HomeserverClient homeserver, HomeserverContact contact, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (contact.Error is not null || !(time.GetUtcNow() - contact.AnsweredAt < Interval))
            {
                await CallAsync(stoppingToken);
            }
        }
    }

    private async Task CallAsync(CancellationToken stopping)
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stopping);
        try
        {
            await homeserver.WhoAmIAsync(either.Token);
        }
        catch (HomeserverException)
        {
            // The client has noted it.
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            contact.Note($"no answer within {Timeout.TotalSeconds} s");
        }
    }
}

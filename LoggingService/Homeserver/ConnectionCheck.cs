using LoggingService.Registration;

namespace LoggingService.Homeserver;

/// <summary>Checks both directions of the connection. A successful ping also makes a homeserver send its backlog at once.</summary>
internal sealed class ConnectionCheck(
    HomeserverClient homeserver, ServiceUser user, AppServiceRegistration registration, LoggingServiceOptions options)
{
    private const string SeeItsLog = "See the log of the homeserver";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>Runs the three checks, always in this order; those after a failed one are Unknown.</summary>
    public async Task<IReadOnlyList<CheckResult>> RunAsync(CancellationToken cancellation)
    {
        (string Check, string Target, Func<CancellationToken, Task<Outcome>> RunAsync)[] checks =
        [
            ("homeserver", options.HomeserverText, CheckHomeserverAsync),
            ("registration", options.Registration, CheckRegistrationAsync),
            ("reachability", registration.UrlText, CheckReachabilityAsync),
        ];
        var results = new List<CheckResult>();
        foreach (var (check, target, runAsync) in checks)
        {
            var isDue = results.TrueForAll(result => result.State == CheckState.Ok);
            var outcome = isDue ? await runAsync(cancellation) : new(CheckState.Unknown, "not checked, because an earlier check failed");
            results.Add(new(check, target, outcome.State, outcome.Reason, outcome.Advice));
        }

        return results;
    }

    private async Task<Outcome> CheckHomeserverAsync(CancellationToken cancellation)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(Timeout);
        try
        {
            await homeserver.GetVersionsAsync(timeout.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            var https = options.Homeserver.Scheme == Uri.UriSchemeHttps ? ", and that it serves https there" : "";
            var advice = $"Check that this is its address{https}, or set --homeserver URL";
            return Failed($"no response within {Timeout.TotalSeconds} seconds", advice);
        }
        catch (HomeserverException e) when (e.Errcode == "M_UNKNOWN_TOKEN")
        {
            // A homeserver that verifies the token even here; the next check reports it.
        }
        catch (HomeserverException e)
        {
            return e.Status switch
            {
                null => Failed($"cannot connect ({e.Reason})", "Start the homeserver, or set its address with --homeserver URL"),
                >= 500 => Failed($"error response ({e.Response})", "If a proxy responded, check that the homeserver behind it is running"),
                _ => Failed($"not a Matrix homeserver ({e.Response})", "Set the address of the client API with --homeserver URL"),
            };
        }

        return new(CheckState.Ok, "responds");
    }

    private async Task<Outcome> CheckRegistrationAsync(CancellationToken cancellation)
    {
        try
        {
            await TryRegisterUserAsync(cancellation);
            await user.EnsureIdentifiedAsync(cancellation);
            return new(CheckState.Ok, $"loaded, the homeserver knows this service as {user.Id}");
        }
        catch (HomeserverException e) when (e.Status is 401 or 403)
        {
            return Failed(
                $"the homeserver rejects its as_token ({e.Errcode}), so it has not loaded the file or has an older copy",
                "Copy the file to the homeserver, list the copy under app_service_config_files in homeserver.yaml, and restart it");
        }
        catch (HomeserverException e)
        {
            return Failed($"the homeserver does not accept the user {registration.SenderLocalpart} ({e.Message})", SeeItsLog);
        }
    }

    /// <summary>A refusal is no failure: whoami tells whether the user can be used.</summary>
    private async Task TryRegisterUserAsync(CancellationToken cancellation)
    {
        try
        {
            await homeserver.EnsureRegisteredAsync(cancellation);
        }
        catch (HomeserverException e) when (!e.IsTransient && e.Status != 401)
        {
        }
    }

    private async Task<Outcome> CheckReachabilityAsync(CancellationToken cancellation)
    {
        try
        {
            await homeserver.PingAsync(cancellation);
            return new(CheckState.Ok, "the homeserver reaches this service");
        }
        catch (HomeserverException e)
        {
            return e switch
            {
                { Status: 404 or 405 } or { Errcode: "M_UNRECOGNIZED" } =>
                    new(CheckState.Unknown, "the homeserver has no ping, or a proxy in front of it blocks the request"),
                { Errcode: "M_BAD_STATUS", BadStatus: 401 or 403 } => Failed(
                    $"the homeserver sends another hs_token than that of {options.Registration} ({e.Reason})",
                    "Copy the file to the homeserver again and restart it"),
                { Errcode: "M_BAD_STATUS" } => Failed(
                    $"another program responds to the homeserver ({e.Reason})",
                    "Correct the url of the registration, or the proxy at that address"),
                { Errcode: "M_CONNECTION_FAILED" or "M_CONNECTION_TIMEOUT" } => Failed(
                    $"the homeserver cannot connect to the url of the registration ({e.Reason})",
                    "Check that the service is running and that the homeserver can reach it; in a container, localhost is the container"),
                { Status: 403 } => Failed(
                    $"the homeserver has the as_token under another id than {registration.Id} ({e.Reason})",
                    $"Copy {options.Registration} to the homeserver again and restart it"),
                _ => Failed($"the homeserver cannot call this service ({e.Message})", SeeItsLog),
            };
        }
    }

    private static Outcome Failed(string reason, string advice) => new(CheckState.Failed, reason, advice);

    private readonly record struct Outcome(CheckState State, string Reason, string Advice = "");
}

using LoggingService.Options;
using LoggingService.Registration;

namespace LoggingService.Homeserver;

/// <summary>
/// Whether the homeserver and the service know each other: does it answer, has it loaded our registration, does it reach
/// us. A ping that works also makes a homeserver send at once what waited for us.
/// </summary>
internal sealed class ConnectionCheck(HomeserverClient homeserver, ServiceUser user, AppServiceRegistration registration, LoggingServiceOptions options)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Asks the homeserver. The things are always the same three, in their order; after one that isn't well the others can't be known.</summary>
    /// <param name="cancellation">Ends it.</param>
    public async Task<IReadOnlyList<CheckResult>> RunAsync(CancellationToken cancellation)
    {
        (string Unknown, Func<CancellationToken, Task<CheckResult>> Find)[] things =
        [
            ("whether the homeserver answers.", AnswersAsync),
            ("whether it has loaded the registration.", KnowsUsAsync),
            ($"whether it reaches this service at {registration.UrlText}.", ReachesUsAsync),
        ];
        var findings = new List<CheckResult>();
        foreach (var (unknown, find) in things)
        {
            findings.Add(findings.TrueForAll(finding => finding.State == CheckState.Well) ? await find(cancellation) : new(CheckState.Unknown, unknown));
        }

        return findings;
    }

    private async Task<CheckResult> AnswersAsync(CancellationToken cancellation)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        enough.CancelAfter(Patience);
        try
        {
            await homeserver.VersionsAsync(enough.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return Trouble($"Nothing answers at {options.HomeserverText} within {Patience.TotalSeconds} seconds. Is it the homeserver's address{(options.Homeserver.Scheme == Uri.UriSchemeHttps ? ", and does it speak https there" : "")}? --homeserver URL");
        }
        catch (HomeserverException e) when (e.Errcode == "M_UNKNOWN_TOKEN")
        {
            // A homeserver all right, and one that minds the token even here: what follows will tell.
        }
        catch (HomeserverException e)
        {
            return Trouble(e.Status switch
            {
                null => $"The homeserver can't be reached at {options.HomeserverText} ({e.Reason}). Is it running? If it listens elsewhere, say where: --homeserver URL",
                >= 500 => $"Something answers at {options.HomeserverText}, but not as a homeserver that is well ({e.Answer}). If it is a proxy: is the homeserver behind it running?",
                _ => $"What answers at {options.HomeserverText} is no Matrix homeserver ({e.Answer}). Say where its client API is: --homeserver URL",
            });
        }

        return Well($"The homeserver answers at {options.HomeserverText}.");
    }

    private async Task<CheckResult> KnowsUsAsync(CancellationToken cancellation)
    {
        try
        {
            await homeserver.EnsureRegisteredAsync(cancellation);
            await user.AskAsync(cancellation);
            return Well($"It has loaded the registration and knows this service, as {user.Id}.");
        }
        catch (HomeserverException e) when (e.Status is 401 or 403)
        {
            return Trouble($"The homeserver doesn't know the as_token of {options.Registration} ({e.Errcode}): it has not loaded the file, or an older copy. Give it the file, name its copy in homeserver.yaml under app_service_config_files, and restart it.");
        }
        catch (HomeserverException e)
        {
            return Trouble($"The homeserver didn't let this service's own user {registration.SenderLocalpart} in: {e.Message}");
        }
    }

    private async Task<CheckResult> ReachesUsAsync(CancellationToken cancellation)
    {
        try
        {
            await homeserver.PingAsync(cancellation);
            return Well($"It reaches this service at {registration.UrlText}.");
        }
        catch (HomeserverException e)
        {
            return e switch
            {
                { Status: 404 or 405 } or { Errcode: "M_UNRECOGNIZED" } => new(CheckState.Unknown, $"whether it reaches this service at {registration.UrlText}: it can't be asked, because it is too old, or a proxy in front of it keeps the question from it."),
                { Errcode: "M_BAD_STATUS", BadStatus: 401 or 403 } => Trouble($"The homeserver reaches this service, but with another hs_token than that of {options.Registration}: give it this file again and restart it. ({e.Reason})"),
                { Errcode: "M_BAD_STATUS" } => Trouble($"Something else than this service answers the homeserver at {registration.UrlText}, the url of the registration ({e.Reason}): the url, or the proxy there, must lead to this service."),
                { Errcode: "M_CONNECTION_FAILED" or "M_CONNECTION_TIMEOUT" } => Trouble($"The homeserver can't reach this service at {registration.UrlText}, the url of the registration ({e.Reason}). Is the service running? Can the homeserver's machine reach that address? (In a container, localhost is the container.)"),
                { Status: 403 } => Trouble($"The homeserver knows the as_token by another id than {registration.Id}: give it {options.Registration} anew and restart it. ({e.Reason})"),
                _ => Trouble($"The homeserver could not be asked to call this service: {e.Message}"),
            };
        }
    }

    private static CheckResult Well(string text) => new(CheckState.Well, text);

    private static CheckResult Trouble(string text) => new(CheckState.Trouble, text);
}

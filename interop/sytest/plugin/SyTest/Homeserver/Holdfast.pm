package SyTest::Homeserver::Holdfast;

# One Holdfast server of a Sytest run: a child process, with a certificate from Sytest's CA and a data
# folder that is emptied when the run begins. Clients and federation both reach it through its TLS port.

use strict;
use warnings;

use parent qw( SyTest::Homeserver );

use File::Path qw( make_path remove_tree );
use File::Slurper qw( read_binary );
use Future;
use IO::Async::Process;

use SyTest::SSL qw( ensure_ssl_key create_ssl_cert );

# `npm start` gets a process group of its own, and signals go to the group: npm and the shell between it and
# the server do not pass them on. (So a terminal's Ctrl-C does not reach the server; see END.)
my @IN_OWN_GROUP = ( $^X, '-e', 'setpgrp( 0, 0 ); exec { $ARGV[0] } @ARGV or die "$ARGV[0]: $!\n"' );
use constant SECONDS_TO_STOP => 30;

my %running;    # process groups to stop if Sytest exits without stopping its servers

sub _init
{
   my ( $self, $params ) = @_;
   $self->{$_} = delete $params->{$_} for qw( checkout print_output filter_output );
   $self->SUPER::_init($params);

   my $index = $self->{hs_index};
   $self->{tls_port}   = main::alloc_port("holdfast[$index].tls");
   $self->{plain_port} = main::alloc_port("holdfast[$index].plain");
   return;
}

sub server_name     { my ($self) = @_; return "$self->{bind_host}:$self->{tls_port}" }
sub federation_host { return $_[0]{bind_host} }
sub federation_port { return $_[0]{tls_port} }
sub public_baseurl  { my ($self) = @_; return 'https://' . $self->server_name }

sub start
{
   my ($self) = @_;
   my $dir = $self->{hs_dir};

   remove_tree("$dir/data");
   unlink "$dir/server.log";
   make_path("$dir/data");
   ensure_ssl_key("$dir/tls.key");
   create_ssl_cert( "$dir/tls.crt", "$dir/tls.key", $self->{bind_host} );

   # The identity server of the tests has a certificate that is signed by itself, not by the CA.
   $self->write_file( 'trusted.crt', join '', map { read_binary("keys/$_") } qw( ca.crt tls-selfsigned.crt ) );

   return $self->_run;
}

# Stops the server and starts it again over the same data.
sub restart
{
   my ($self) = @_;
   return $self->kill_and_await_finish->then( sub { $self->_run } );
}

sub _run
{
   my ($self) = @_;
   my $index  = $self->{hs_index};
   my $output = $self->{output};

   my @command = ( qw( npm start -- ), $self->_flags );
   $output->diag("Starting holdfast-$index with: @command");

   return $self->_start_process_and_await_connectable(
      setup        => [ chdir => $self->{checkout}, env => { %ENV, $self->_environment } ],
      command      => [ @IN_OWN_GROUP, @command ],
      name         => "holdfast-$index",
      connect_host => $self->{bind_host},
      connect_port => $self->{tls_port},
   )->else_with_f( sub {
      my ( $f, $reason ) = @_;
      return Future->fail("Unable to start holdfast-$index (see $self->{hs_dir}/server.log): $reason");
   } );
}

sub _flags
{
   my ($self) = @_;
   return (
      '--server-name' => $self->server_name,
      '--listen'      => $self->_listen_host . ":$self->{plain_port}",
      '--data'        => "$self->{hs_dir}/data",
   );
}

sub _environment
{
   my ($self) = @_;
   my $dir         = $self->{hs_dir};
   my $mail        = $self->{smtp_server_config};
   my $appservices = $self->{app_service_config_files} // [];
   return (
      HOLDFAST_REGISTRATION               => 'open',
      HOLDFAST_REGISTRATION_SHARED_SECRET => 'reg_secret',
      HOLDFAST_RATE_LIMITS                => 'off',
      # Sytest's own federation server knows no room version after 11, and wants creators named in contents.
      HOLDFAST_DEFAULT_ROOM_VERSION       => '10',
      HOLDFAST_TLS_LISTEN                 => $self->_listen_host . ":$self->{tls_port}",
      HOLDFAST_TLS_CERT                   => "$dir/tls.crt",
      HOLDFAST_TLS_KEY                    => "$dir/tls.key",
      HOLDFAST_TRUSTED_CA                 => "$dir/trusted.crt",
      HOLDFAST_OUTGOING_ALLOW             => '127.0.0.0/8',
      # A test waits for another server to hear of a new name of a device.
      HOLDFAST_DEVICE_NAMES_TO_SERVERS    => 'true',
      $mail ? ( HOLDFAST_SMTP => "smtp://$mail->{host}:$mail->{port}" ) : (),
      @$appservices ? ( HOLDFAST_APPSERVICES => join ',', @$appservices ) : (),
   );
}

sub _listen_host
{
   my ($self) = @_;
   return $self->{bind_host} eq 'localhost' ? '127.0.0.1' : $self->{bind_host};
}

# The rest adapts SyTest::Homeserver::ProcessManager: a log file, --server-log, and whole process groups.

sub _start_process
{
   my ( $self, @params ) = @_;
   my $process = $self->SUPER::_start_process(@params);
   $running{ $process->pid } = 1;
   return $process;
}

sub _on_finish
{
   my ( $self, $process, @rest ) = @_;
   delete $running{ $process->pid };
   return $self->SUPER::_on_finish( $process, @rest );
}

sub _on_output_line
{
   my ( $self, $info, $line ) = @_;
   my $filter = $self->{filter_output};
   $info->print_output = $self->{print_output} && ( !$filter || $line =~ m/$filter/ ) ? 1 : 0;

   open my $log, '>>', "$self->{hs_dir}/server.log" or die "Cannot write $self->{hs_dir}/server.log: $!";
   print {$log} "$line\n";
   close $log;

   return $self->SUPER::_on_output_line( $info, $line );
}

sub _kill_process
{
   my ( $self, $info ) = @_;
   my $process = $info->process;
   return Future->done unless $process->is_running;

   my $group = -$process->pid;
   $self->{output}->diag( 'Stopping ' . $info->name );
   kill INT => $group;
   return Future->needs_any(
      $info->finished_future->without_cancel,
      main::delay(SECONDS_TO_STOP)->then( sub {
         $self->{output}->diag( $info->name . ' does not stop; killing it' );
         kill KILL => $group;
         return $info->finished_future->without_cancel;
      } ),
   );
}

END {
   my $status = $?;
   kill INT => map { -$_ } keys %running;
   $? = $status;
}

1;
